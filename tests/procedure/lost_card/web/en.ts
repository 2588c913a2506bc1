import type { zh } from './zh'

export const en: Record<keyof typeof zh, string> = {
  'lost_card.card': 'Card number',
  'lost_card.hint': 'Cards found and lost',
  'lost_card.place': 'Where it lies',
  'lost_card.report': 'Report a card that you found',
  'lost_card.reported': 'Registered as {number}',
  'lost_card.title': 'Lost and found cards',
}
