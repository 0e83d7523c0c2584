import Platform
import SystemPackage
import TensorArchives

/// The orders that a watched process gets at its start. They come through a socket and not in the
/// environment, which has no room for many cases.
struct WatchOrders: Codable, Equatable {
  /// The cases on which this program crashed, by their places in the list of all cases, each with
  /// a sentence that says how. They are not to be judged again.
  var crashes: [Int: String] = [:]
  /// The cases that earlier children have printed. They are not to be judged again.
  var printed: [PrintedCase] = []
  /// Whether to judge one case at a time, so that a crash tells whose it is.
  var isAlone = false
  /// The environment variables that the watching process has set, and the user has not.
  /// They are to be unset.
  var unset: [String] = []

  /// Writes the orders to a socket, and closes it.
  func send(to socket: FileDescriptor) {
    // A child that has ended already is seen to have.
    if let data = try? JSONEncoder().encode(self) { _ = socket.sendWithoutSignal(Array(data)) }
    try? socket.close()
  }
}

extension WatchOrders {
  /// Reads the orders from a socket.
  ///
  /// - Returns: nil where it can't be read, or gives anything else.
  init?(readFrom socket: FileDescriptor) {
    guard let orders = try? JSONDecoder().decode(Self.self, from: Data(socket.bytesToTheEnd()))
    else { return nil }
    self = orders
  }
}
