// Answers asked once a visit, as they stay the same while somebody is signed in. What failed is asked again the next time.
const all: { clear: () => void }[] = []

export function kept<Key, Value>(ask: (key: Key) => Promise<Value>): (key: Key) => Promise<Value> {
  const answers = new Map<Key, Promise<Value>>()
  all.push(answers)
  return (key) => {
    let answer = answers.get(key)
    if (!answer) {
      answer = ask(key)
      answers.set(key, answer)
      answer.catch(() => answers.delete(key))
    }
    return answer
  }
}

// With the session goes what was kept for it.
export const kept_forget = () => all.forEach((answers) => answers.clear())
