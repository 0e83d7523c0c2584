import Dispatch
import Synchronization

/// The array `[make(0), …, make(count - 1)]`, of which the elements are made on all cores at the
/// same time, in no certain order.
///
/// ```swift
/// let squares = concurrentMap(4) { $0 * $0 }  // [0, 1, 4, 9]
/// ```
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
