import type { zh } from './zh'

export const en: Record<keyof typeof zh, string> = {
  'calendar.after': 'Next year',
  'calendar.before': 'Previous year',
  'calendar.begins': 'First day',
  'calendar.changed': 'The calendar is now version {version}, on record',
  'calendar.check': 'Check first, import nothing',
  'calendar.days': 'Days off and make-up days',
  'calendar.differs': 'Compared with the calendar now, {n} days change:',
  'calendar.differs_none': 'No day changes against the calendar now',
  'calendar.ends': 'Last day, included',
  'calendar.example':
    '[[year]]\n' +
    'year   = 2027\n' +
    'notice = "(number of the notice)"\n' +
    'issued = 2026-11-05\n' +
    'source = "https://www.gov.cn/…"\n' +
    'off    = [\n' +
    '  { days = "01-01/01-03", name = { zh = "(name in Chinese)", en = "New Year" } },\n' +
    '  …\n' +
    ']\n' +
    'work   = ["01-30", …]',
  'calendar.file': 'Choose a file',
  'calendar.format': 'Format of the file',
  'calendar.hint': 'Working days, days off and windows',
  'calendar.import': 'Import a year',
  'calendar.import_do': 'Import',
  'calendar.import_note': 'From the yearly notice of the State Council\'s General Office; a year already there is replaced, its older version kept',
  'calendar.keeper': 'The calendar is kept by the academic affairs office; tell it if a window is needed or something is wrong.',
  'calendar.kind.holiday': 'Day off',
  'calendar.kind.makeup': 'Make-up working day',
  'calendar.kind.weekend': 'Weekend',
  'calendar.kind.window': 'Stopped',
  'calendar.kind.workday': 'Working day',
  'calendar.lede': 'Deadlines are counted in these working days: the day of receipt does not count, the last one ends at 24:00 China time',
  'calendar.log': 'Changes',
  'calendar.mark.holiday': 'off',
  'calendar.mark.makeup': 'on',
  'calendar.mark.window': 'stop',
  'calendar.off': 'off',
  'calendar.over': 'over',
  'calendar.provisional': 'Provisional',
  'calendar.provisional_computed':
    'No notice has been imported for this year: it is computed from weekends and the holidays fixed in the solar calendar, ' +
    'without Spring Festival, Qingming, Dragon Boat and Mid-Autumn. Deadlines that rest on it are marked provisional.',
  'calendar.provisional_known':
    'The notice of this year is not out: it has the holidays of the law, ' +
    'and no make-up days. Deadlines that rest on it are marked provisional.',
  'calendar.reason': 'Reason',
  'calendar.reason_en': 'What for, in English',
  'calendar.reason_zh': 'What for, in Chinese',
  'calendar.span': '{kind}, {n} d',
  'calendar.text': 'Or paste its text',
  'calendar.version': 'version {n}',
  'calendar.weekdays': 'Mo Tu We Th Fr Sa Su',
  'calendar.window_add': 'Add a window',
  'calendar.window_do': 'Add',
  'calendar.windows': 'Windows of the school',
  'calendar.windows_none': 'No windows in this year',
  'calendar.windows_note': 'Within a window the clock of deadlines stops',
  'calendar.withdraw': 'Withdraw',
  'calendar.withdraw_do': 'Withdraw it',
  'calendar.withdraw_note': 'Days gone by stay stopped',
  'calendar.working_days': '{n} working days',
  'calendar.works': 'works',
  'calendar.year': 'Year',

  'nav.calendar': 'Calendar',
}
