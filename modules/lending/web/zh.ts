export const zh = {
  'lending.answered': '本人已再次证明',
  'lending.by_itself': '系统自动',
  'lending.closed.dismissed': '已认定为正常',
  'lending.closed.settled': '已处理',
  'lending.dismiss': '认定为正常',
  'lending.done': '已处理：{name}，并已留痕',
  'lending.evidence': '证据：{n} 条留痕，{m} 次登录',
  'lending.lede': '规则只说明看到了什么，由人判断。停用前请听本人说明；每一步都须写明理由并留痕。',
  'lending.lift': '解除措施',
  'lending.lifted': '{at} 由 {by} 解除',
  'lending.none': '没有发现',
  'lending.open': '查看发现',
  'lending.reason': '理由',
  'lending.score': '{n} 分',
  'lending.state.closed': '已处理',
  'lending.state.open': '待处理',
  'lending.step.ask_second_factor': '要求再次证明',
  'lending.step.read_only': '只能查看',
  'lending.step.suspended': '停用',
  'lending.which': '显示哪些',

  'nav.lending': '转借与冒用',
} as const

declare module '@/kernel/i18n' {
  interface Words extends Record<keyof typeof zh, string> {}
}
