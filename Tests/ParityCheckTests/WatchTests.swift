import Foundation
import SystemPackage
import TensorArchives
import TestSupport
import Testing

@testable import ParityCheck

/// How a watched process and the one that watches over it speak to each other.
@Suite struct WatchTests {
  private static let events: [WatchEvent] = [
    .entered("a/b.h5"), .entered(""), .left, .entered("a\nb\0c\\größe"), .printedCase,
    .entered(String(repeating: "x", count: 70_000)), .left,
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

  @Test func aReaderWaitsForEventsAndForTheEnd() throws {
    let (end, writing) = try FileDescriptor.pipe()
    defer { try? end.close() }
    var reader = EventReader(end)
    #expect(reader.next(until: .now + .milliseconds(50)) == .tooLate)
    let both = WatchEvent.left.bytes + WatchEvent.entered("a").bytes
    try writing.writeAll(both.dropLast())
    #expect(reader.next(until: nil) == .event(.left))
    #expect(reader.next(until: .now) == .tooLate)
    try writing.writeAll(both.suffix(1))
    try writing.close()
    #expect(reader.next(until: .now + .seconds(60)) == .event(.entered("a")))
    #expect(reader.next(until: .now + .seconds(60)) == .end)
  }

  @Test func ordersAreReadAsTheyWereWritten() throws {
    var orders = WatchOrders()
    orders.failures = ["a\tb\n\0.h5": "libhdf5 crashed on it (signal 11)", "größe.h5": "no answer"]
    for number in 0..<10_000 { orders.failures["\(number).h5"] = "no answer" }
    orders.printed = 7
    orders.unset = ["SWIFT_BACKTRACE"]
    let file = try orders.file()
    defer { try? file.close() }
    #expect(try WatchOrders(from: file) == orders)
  }

  /// Makes what a watching process makes: a pipe and a file.
  private func invited(
    by parent: pid_t, _ orders: WatchOrders = WatchOrders()
  ) throws -> (process: WatchedProcess?, pipe: (read: FileDescriptor, written: FileDescriptor)) {
    let (read, written) = try FileDescriptor.pipe()
    let file = try orders.file()
    let process = WatchedProcess(
      WatchInvitation(parent: parent, events: written.rawValue, orders: file.rawValue))
    return (process, (read, written))
  }

  /// And says so; any other file is opened, and both its start and its end are writing.
  @Test func aFileThatWasLostIsNotOpenedAgain() throws {
    var orders = WatchOrders()
    orders.failures = ["a\n.h5": "libhdf5 crashed on it (signal 11)"]
    let (invited, pipe) = try invited(by: getppid(), orders)
    let process = try #require(invited)
    #expect(throws: ArchiveError(path: "a\n.h5", .unreadable("libhdf5 crashed on it (signal 11)")))
    { try process.willWork(on: "a\n.h5") }
    try process.willWork(on: "b.h5")
    process.hasReturned()
    process.send(.printedCase)
    var reader = EventReader(pipe.read)
    for event in [WatchEvent.entered("b.h5"), .left, .printedCase] {
      #expect(reader.next(until: .now + .seconds(60)) == .event(event))
    }
    #expect(reader.next(until: .now) == .tooLate)
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
    let file = try WatchOrders().file()
    #expect(
      WatchedProcess(
        WatchInvitation(parent: getppid(), events: file.rawValue, orders: file.rawValue)) == nil)
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
