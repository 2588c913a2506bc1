import type { zh } from './zh'

export const en: Record<keyof typeof zh, string> = {
  'hall.lede': 'School, people and data are made up. One click and you are that person; behind each stands a clause.',
  'hall.same': 'The same question, seen by six people',
  'hall.title': 'Choose a person and see what they may query',

  'same.edit': 'Edit the query',
  'same.lede': 'One query asked by six people: each gets what the regulation allows, with the clause beside it; every one is recorded',
  'same.no_rows': 'May ask, but no rows belong to this person',
  'same.not_json': 'Not valid JSON: {why}',
  'same.pick': 'Pick a question',
  'same.q_grades': 'Grades: who, which course, how much',
  'same.q_graduation': 'Graduation and certificates',
  'same.q_meetings': 'Meetings',
  'same.q_payments': 'Payments',
  'same.q_students': 'Students and their phones',
  'same.q_students_all': 'Everything about students',
  'same.q_warnings': 'Academic warnings',
  'same.rows': '{n} rows',
  'same.rows_more': '{n} rows, and more',
  'same.title': 'Same question, six people',

  'nav.same': 'Same question, six people',
}
