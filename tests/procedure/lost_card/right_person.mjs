// The right person for each route of lost and found cards.
export async function rows(world, { student }) {
  const desk = await world.as('logistics_office');
  const { number } = (await student.post('/api/cases', { kind: 'lost_card', action: 'report', content: { card: 'x', place: 'y' } })).json;
  return { 'POST /api/lost-cards/{number}/place': [[`/api/lost-cards/${number}/place`, { place: 'z' }], [403], undefined, desk] };
}
