export const zh = {
  'hall.lede': '这里的学校、人物和数据都是虚构的。点一下，就以这个人的身份进入；每个人身后是一条条款。',
  'hall.same': '同一个问题，六种人怎么看',
  'hall.title': '选一个人，看看他能查到什么',

  'same.edit': '改写这个查询',
  'same.lede': '同一个查询由六个人提出，每个人得到规定允许的部分，依据写在旁边；每次都有记录',
  'same.no_rows': '可以查，但没有属于此人的行',
  'same.not_json': '不是正确的 JSON：{why}',
  'same.pick': '选一个问题',
  'same.q_grades': '成绩：谁、哪门课、多少分',
  'same.q_graduation': '毕业与证书',
  'same.q_meetings': '上课安排',
  'same.q_payments': '缴费',
  'same.q_students': '学生名册与手机号',
  'same.q_students_all': '学生的全部信息',
  'same.q_warnings': '学业预警',
  'same.rows': '{n} 行',
  'same.rows_more': '{n} 行，还有更多',
  'same.title': '同一个问题，六种人',

  'nav.same': '同一个问题，六种人',
} as const

declare module '@/kernel/i18n' {
  interface Words extends Record<keyof typeof zh, string> {}
}
