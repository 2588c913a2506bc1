export const zh = {
  'lost_card.card': '卡号',
  'lost_card.hint': '拾到、丢失校园卡',
  'lost_card.place': '存放处',
  'lost_card.report': '报告拾到的校园卡',
  'lost_card.reported': '已登记，编号 {number}',
  'lost_card.title': '校园卡招领',
}
