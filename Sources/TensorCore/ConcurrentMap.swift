import Dispatch
import Synchronization

/// `[make(0), …, make(count − 1)]`, made on all cores.
package func concurrentMap<Element: Sendable>(
  _ count: Int, _ make: @Sendable (Int) -> Element
) -> [Element] {
  let made = Mutex([Int: Element]())
  DispatchQueue.concurrentPerform(iterations: count) { index in
    let element = make(index)
    made.withLock { $0[index] = element }
  }
  return made.withLock { made in (0..<count).compactMap { made[$0] } }
}
