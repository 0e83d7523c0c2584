import SystemPackage

/// What the environment says to a watched process, so that it knows itself for one:
/// `PARITY_CHECK_WATCH=4711:4:5`.
///
/// It names the process that watches, so that what anybody else put into the environment,
/// or left there, invites nobody.
struct WatchInvitation: Equatable {
  static let variable = "PARITY_CHECK_WATCH"

  /// The process that watches, which is the parent of the one that is watched.
  let parent: Int32
  /// The number of the descriptor of the pipe that events are written to.
  let events: Int32
  /// The number of the descriptor of the file with the orders.
  let orders: Int32

  /// Whether the two descriptors are of the kinds that such an invitation has.
  var hasDescriptors: Bool {
    (try? Stat(FileDescriptor(rawValue: events)))?.type == .fifo
      && (try? Stat(FileDescriptor(rawValue: orders)))?.type == .socket
  }

  /// The value of the variable.
  var text: String { "\(parent):\(events):\(orders)" }
}

extension WatchInvitation {
  /// Nil where `text` is anything but three numbers.
  init?(_ text: String) {
    let numbers = text.split(separator: ":", omittingEmptySubsequences: false).map { Int32($0) }
    guard numbers.count == 3, let parent = numbers[0], let events = numbers[1],
      let orders = numbers[2]
    else { return nil }
    self.init(parent: parent, events: events, orders: orders)
  }
}
