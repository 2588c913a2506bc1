import type { zh } from './zh'

export const en: Record<keyof typeof zh, string> = {
  'lending.answered': 'the holder has shown who it is',
  'lending.by_itself': 'by itself',
  'lending.closed.dismissed': 'Found honest',
  'lending.closed.settled': 'Dealt with',
  'lending.dismiss': 'It is honest',
  'lending.done': 'Dealt with: {name}; it is on record',
  'lending.evidence': 'Evidence: {n} leaves of the record, {m} sign-ins',
  'lending.lede': 'The rules only say what was seen; people judge. Hear the person before you suspend; every step needs its reason and is on record.',
  'lending.lift': 'Lift',
  'lending.lifted': 'lifted {at} by {by}',
  'lending.none': 'Nothing was found',
  'lending.open': 'See what was found',
  'lending.reason': 'Reason',
  'lending.score': 'score {n}',
  'lending.state.closed': 'Dealt with',
  'lending.state.open': 'Open',
  'lending.step.ask_second_factor': 'Ask again who it is',
  'lending.step.read_only': 'May look only',
  'lending.step.suspended': 'Suspend',
  'lending.which': 'Which to show',

  'nav.lending': 'Lending of accounts',
}
