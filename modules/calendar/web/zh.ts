export const zh = {
  'calendar.after': '下一年',
  'calendar.before': '上一年',
  'calendar.begins': '开始日期',
  'calendar.changed': '校历已更改为第 {version} 版，并已留痕',
  'calendar.check': '先试读，不导入',
  'calendar.days': '放假与调休',
  'calendar.differs': '与现在的校历相比，有 {n} 天改变：',
  'calendar.differs_none': '与现在的校历相比，没有一天改变',
  'calendar.ends': '结束日期（含）',
  'calendar.example':
    '[[year]]\n' +
    'year   = 2027\n' +
    'notice = "国办发明电〔2026〕N号"\n' +
    'issued = 2026-11-05\n' +
    'source = "https://www.gov.cn/…"\n' +
    'off    = [\n' +
    '  { days = "01-01/01-03", name = { zh = "元旦", en = "New Year" } },\n' +
    '  …\n' +
    ']\n' +
    'work   = ["01-30", …]',
  'calendar.file': '选择文件',
  'calendar.format': '文件格式',
  'calendar.hint': '工作日、放假与停办时段',
  'calendar.import': '导入年份',
  'calendar.import_do': '导入',
  'calendar.import_note': '按国务院办公厅每年的放假通知填写；已有的年份会被替换，旧版保留',
  'calendar.keeper': '校历由教务处维护；需要停办时段或发现错误，请告知教务处。',
  'calendar.kind.holiday': '放假',
  'calendar.kind.makeup': '调休上班',
  'calendar.kind.weekend': '周末',
  'calendar.kind.window': '停办',
  'calendar.kind.workday': '工作日',
  'calendar.lede': '审批等期限按这里的工作日计算：收到当天不算，到最后一个工作日 24:00（北京时间）为止',
  'calendar.log': '更改记录',
  'calendar.mark.holiday': '休',
  'calendar.mark.makeup': '班',
  'calendar.mark.window': '停',
  'calendar.off': '休息',
  'calendar.over': '已结束',
  'calendar.provisional': '暂定',
  'calendar.provisional_computed': '这一年还没有导入正式通知：暂按周末和公历固定的法定假日推算，不含春节、清明、端午、中秋。据此计算的期限会标明暂定。',
  'calendar.provisional_known': '这一年的正式通知尚未发布：只有法定假日，没有调休。据此计算的期限会标明暂定。',
  'calendar.reason': '理由',
  'calendar.reason_en': '事由（英文）',
  'calendar.reason_zh': '事由（中文）',
  'calendar.span': '{kind} {n} 天',
  'calendar.text': '或粘贴内容',
  'calendar.version': '第 {n} 版',
  'calendar.weekdays': '一 二 三 四 五 六 日',
  'calendar.window_add': '登记停办时段',
  'calendar.window_do': '登记',
  'calendar.windows': '停办时段',
  'calendar.windows_none': '这一年没有停办时段',
  'calendar.windows_note': '期限在停办期间停止计算',
  'calendar.withdraw': '撤回',
  'calendar.withdraw_do': '确认撤回',
  'calendar.withdraw_note': '已过去的日子仍算停办',
  'calendar.working_days': '共 {n} 个工作日',
  'calendar.works': '上班',
  'calendar.year': '年份',

  'nav.calendar': '校历',
} as const

declare module '@/kernel/i18n' {
  interface Words extends Record<keyof typeof zh, string> {}
}
