import { describe, expect, it } from 'vitest'
import { decimal_add, decimal_divide, decimal_multiply, decimal_of, decimal_text } from './decimal'

describe('decimals', () => {
  it('reads numbers and text with their places', () => {
    expect(decimal_of(87.5, 1)).toEqual({ units: 875n, places: 1 })
    expect(decimal_of('3', 2)).toEqual({ units: 300n, places: 2 })
    expect(decimal_text(decimal_of(-0.05, 2))).toBe('-0.05')
    expect(() => decimal_of('1e3', 2)).toThrow()
  })
  it('adds what binary fractions would not', () => {
    expect(decimal_text(decimal_add(decimal_of(0.1, 1), decimal_of(0.2, 1)))).toBe('0.3')
    expect(decimal_text(decimal_add(decimal_of(1, 0), decimal_of(0.25, 2)))).toBe('1.25')
  })
  it('multiplies and divides half up', () => {
    expect(decimal_text(decimal_multiply(decimal_of(2.5, 1), decimal_of(3.7, 2)))).toBe('9.250')
    expect(decimal_text(decimal_divide(decimal_of(1, 0), decimal_of(8, 0), 2)!)).toBe('0.13')
    expect(decimal_text(decimal_divide(decimal_of(-1, 0), decimal_of(8, 0), 2)!)).toBe('-0.13')
    expect(decimal_divide(decimal_of(1, 0), decimal_of(0, 1), 2)).toBeNull()
  })
})
