// One's own grades, as the grades page and the home show them.
import type { Answer, Me } from '@/api/types'
import { field_of, rows_read } from './catalogue'
import { cell_text } from './format'
import type { Graded } from './gpa'

export interface Grade extends Graded {
  id: string
  course_name: string
  score: string
  points_text: string
  credits_text: string
  exam: string
  regular: boolean // an ordinary first examination, nothing to remark
}

export interface Grades {
  answer: Answer
  grades: Grade[]
}

const kRegularExam = '01'
const kAllTerms = 1000

export async function grades_read(me: Me): Promise<Grades> {
  const { dataset, answer, rows } = await rows_read('grade', {
    fields: ['section', 'attempt', 'term', 'course', 'course_name', 'credits', 'score', 'mark', 'points', 'exam_kind', 'passed'],
    where: { field: 'student', op: 'eq', value: me.number },
    order: [{ field: 'term', desc: true }, { field: 'course' }],
    limit: kAllTerms,
  })
  const number = (value: unknown) => (typeof value === 'number' ? value : null)
  const shown = (name: string, value: unknown) => {
    const field = field_of(dataset, name)
    return field ? cell_text(value as never, field, field) : ''
  }
  const grades = rows.map((row) => ({
    id: `${row.section}~${row.attempt}`,
    term: String(row.term ?? ''),
    course: String(row.course ?? row.course_name ?? ''),
    course_name: String(row.course_name ?? row.course ?? ''),
    credits: number(row.credits),
    points: number(row.points),
    passed: typeof row.passed === 'boolean' ? row.passed : null,
    score: shown('score', row.score) || shown('mark', row.mark),
    points_text: shown('points', row.points),
    credits_text: row.credits === null || row.credits === undefined ? '' : String(row.credits),
    exam: shown('exam_kind', row.exam_kind),
    regular: row.exam_kind === kRegularExam,
  }))
  return { answer, grades }
}
