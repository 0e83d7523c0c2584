import Foundation
import SystemPackage
import TensorArchives
import TestSupport
import Testing

@testable import ParityCheck

/// How a watched process and the one that watches over it speak to each other.
@Suite struct WatchTests {
  private static let printed = PrintedCase(
    status: "passed", isRemarked: true, isAsked: true, isDeclined: false)
  private static let events: [WatchEvent] = [
    .started(0), .started(12_345_678), .judged(0), .printed(printed), .judged(12_345_678),
  ]

  /// A pipe gives its bytes in parts of any size.
  @Test(arguments: [1, 3, 4096, 1_000_000])
  func eventsAreReadAsTheyWereTold(size: Int) {
    let bytes = Self.events.flatMap(\.bytes)
    var (waiting, read): ([UInt8], [WatchEvent]) = ([], [])
    for start in stride(from: 0, to: bytes.count, by: size) {
      waiting += bytes[start..<min(start + size, bytes.count)]
      while let event = WatchEvent.take(from: &waiting) { read.append(event) }
    }
    #expect(read == Self.events && waiting.isEmpty)
  }

  @Test func aReaderReadsUntilTheEnd() throws {
    let (end, writing) = try FileDescriptor.pipe()
    defer { try? end.close() }
    var reader = EventReader(end)
    try writing.writeAll(WatchEvent.judged(7).bytes + WatchEvent.started(8).bytes.dropLast())
    #expect(reader.next() == .judged(7))
    try writing.writeAll(WatchEvent.started(8).bytes.suffix(1))
    try writing.close()
    #expect(reader.next() == .started(8))
    #expect(reader.next() == nil)
  }

  /// More than a socket holds are sent while somebody reads.
  @Test func ordersAreReadAsTheyWereWritten() async throws {
    var orders = WatchOrders()
    for place in 0..<10_000 { orders.crashes[place] = "crashed on it (signal 4)\n\0größe" }
    orders.printed = [Self.printed]
    orders.isAlone = true
    orders.unset = ["SWIFT_BACKTRACE"]
    let (own, other) = try FileDescriptor.socketPair()
    defer { try? other.close() }
    async let read = Task.detached { WatchOrders(readFrom: other) }.value
    await Task.detached { [orders] in orders.send(to: own) }.value
    #expect(await read == orders)
  }

  /// Makes what a watching process makes: a pipe and a file.
  private func invited(
    by parent: pid_t, _ orders: WatchOrders = WatchOrders()
  ) throws -> (process: WatchedProcess?, pipe: (read: FileDescriptor, written: FileDescriptor)) {
    let (read, written) = try FileDescriptor.pipe()
    let (own, other) = try FileDescriptor.socketPair()
    orders.send(to: own)
    let process = WatchedProcess(
      WatchInvitation(parent: parent, events: written.rawValue, orders: other.rawValue))
    return (process, (read, written))
  }

  @Test func whatItDoesIsTold() throws {
    let (invited, pipe) = try invited(by: getppid())
    let process = try #require(invited)
    for event in Self.events { process.send(event) }
    var reader = EventReader(pipe.read)
    for event in Self.events { #expect(reader.next() == event) }
  }

  /// Or the watching process would wait for what a watched one leaves running.
  @Test func thePipeIsNotInherited() throws {
    let (process, pipe) = try invited(by: getppid())
    #expect(process != nil)
    #expect(fcntl(pipe.written.rawValue, F_GETFD) & FD_CLOEXEC != 0)
  }

  @Test func onlyAParentInvites() throws {
    #expect(try invited(by: getpid()).process == nil)
    #expect(try invited(by: -1).process == nil)
    // Its descriptors are open, and a pipe and orders.
    let (own, socket) = try FileDescriptor.socketPair()
    WatchOrders().send(to: own)
    #expect(
      WatchedProcess(
        WatchInvitation(parent: getppid(), events: socket.rawValue, orders: socket.rawValue))
        == nil)
    let (read, written) = try FileDescriptor.pipe()
    try read.close()
    #expect(
      WatchedProcess(
        WatchInvitation(parent: getppid(), events: written.rawValue, orders: read.rawValue)) == nil)
  }

  @Test func anInvitationIsThreeNumbers() {
    let text = WatchInvitation(parent: 1, events: 2, orders: 3).text
    let read = WatchInvitation(text)
    #expect(read?.parent == 1 && read?.events == 2 && read?.orders == 3)
    for other in ["", "off", "1", "1:2", "1:2:3:4", "1:2:x", "1::3", "1:2:99999999999"] {
      #expect(WatchInvitation(other) == nil, "\(other)")
    }
  }
}
