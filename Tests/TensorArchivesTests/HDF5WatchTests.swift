import Foundation
import TestSupport
import Testing

@testable import TensorArchives

@Suite struct HDF5WatchTests {
  @Test(arguments: [
    HDF5Watch.Event.entered("a/b.h5"), .entered(""), .entered("a\nb\\n\tc"), .left,
  ])
  func eventsAreOneLineEach(event: HDF5Watch.Event) {
    let line = HDF5Watch.line(event)
    #expect(line.filter { $0 == "\n" }.count == 1 && line.hasSuffix("\n"))
    #expect(HDF5Watch.event(String(line.dropLast())) == event)
  }

  @Test func aFileThatWasLostIsNotOpenedAgain() throws {
    let lost = ["a\tb\n.h5": "libhdf5 crashed on it (signal 11)", "c.h5": "no answer"]
    let folder = try TemporaryFolder()
    let descriptor = open(try folder.write(HDF5Watch.encode(lost), to: "lost"), O_RDONLY)
    defer { close(descriptor) }
    let watch = HDF5Watch([HDF5Watch.Key.lost: "\(descriptor)"])
    for (path, reason) in lost {
      let error = #expect(throws: ArchiveError.self) {
        try watch.working(on: path) { Issue.record("it was opened") }
      }
      #expect(error == ArchiveError(path: path, .unreadable(reason)))
    }
    #expect(try watch.working(on: "d.h5") { 7 } == 7)
  }

  @Test func nonsenseInTheEnvironmentIsNoWatch() throws {
    let watch = HDF5Watch([
      HDF5Watch.Key.descriptor: "off", HDF5Watch.Key.lost: "x",
    ])
    watch.tell("nothing\n")
    #expect(try watch.working(on: "x") { true })
  }
}
