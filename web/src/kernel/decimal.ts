// Exact decimals for marks, credits and points: a scaled integer and its number of places. No sum of ours goes through
// binary fractions.

export interface Decimal {
  units: bigint
  places: number
}

export function decimal_of(value: number | string, places: number): Decimal {
  const text = typeof value === 'number' ? value.toFixed(places) : value.trim()
  const match = /^([+-]?)(\d+)(?:\.(\d+))?$/.exec(text)
  if (!match) throw new Error(`not a decimal: ${text}`)
  const fraction = (match[3] ?? '').slice(0, places).padEnd(places, '0')
  const units = BigInt(match[2] + fraction)
  return { units: match[1] === '-' ? -units : units, places }
}

export function decimal_add(a: Decimal, b: Decimal): Decimal {
  const places = Math.max(a.places, b.places)
  return { units: scaled(a, places) + scaled(b, places), places }
}

export function decimal_multiply(a: Decimal, b: Decimal): Decimal {
  return { units: a.units * b.units, places: a.places + b.places }
}

// a ÷ b, rounded half away from zero to `places`; null when b is zero.
export function decimal_divide(a: Decimal, b: Decimal, places: number): Decimal | null {
  if (b.units === 0n) return null
  const numerator = a.units * 10n ** BigInt(places + b.places)
  const denominator = b.units * 10n ** BigInt(a.places)
  const negative = numerator < 0n !== denominator < 0n
  const n = numerator < 0n ? -numerator : numerator
  const d = denominator < 0n ? -denominator : denominator
  const rounded = (2n * n + d) / (2n * d)
  return { units: negative ? -rounded : rounded, places }
}

export function decimal_text(value: Decimal): string {
  const negative = value.units < 0n
  const digits = (negative ? -value.units : value.units).toString().padStart(value.places + 1, '0')
  const whole = digits.slice(0, digits.length - value.places)
  const fraction = value.places ? `.${digits.slice(digits.length - value.places)}` : ''
  return `${negative ? '-' : ''}${whole}${fraction}`
}

function scaled(value: Decimal, places: number): bigint {
  return value.units * 10n ** BigInt(places - value.places)
}
