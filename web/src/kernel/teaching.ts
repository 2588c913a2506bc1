// The sections one teaches, newest term first.
import type { Me } from '@/api/types'
import { rows_read } from './catalogue'

export interface Section {
  number: string
  course: string
  term: string
  lead: boolean | null
  credits: string
}

const kSectionsMax = 400

export async function own_sections(me: Me): Promise<Section[]> {
  const { rows } = await rows_read('section_teacher', {
    fields: ['section', 'course_name', 'term', 'lead', 'credits'],
    where: { field: 'teacher', op: 'eq', value: me.number },
    order: [{ field: 'term', desc: true }, { field: 'section' }],
    limit: kSectionsMax,
  })
  return rows.map((row) => ({
    number: String(row.section ?? ''),
    course: String(row.course_name ?? row.section ?? ''),
    term: String(row.term ?? ''),
    lead: typeof row.lead === 'boolean' ? row.lead : null,
    credits: row.credits === null || row.credits === undefined ? '' : String(row.credits),
  }))
}
