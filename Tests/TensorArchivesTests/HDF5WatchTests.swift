import Testing

@testable import TensorArchives

@Suite struct HDF5WatchTests {
  @Test(arguments: [
    HDF5Watch.Event.entered("a/b.h5"), .entered(""), .entered("a\nb\\n\tc"), .left, .reported,
  ])
  func eventsAreOneLineEach(event: HDF5Watch.Event) {
    let line = HDF5Watch.line(event)
    #expect(line.filter { $0 == "\n" }.count == 1 && line.hasSuffix("\n"))
    #expect(HDF5Watch.event(line.dropLast()) == event)
  }

  @Test func aFileThatWasLostIsNotOpenedAgain() throws {
    let lost = ["a\tb\n.h5": "libhdf5 crashed on it (signal 11)", "c.h5": "no answer"]
    let watch = HDF5Watch([HDF5Watch.Key.lost: HDF5Watch.encode(lost)])
    for (path, reason) in lost {
      let error = #expect(throws: ArchiveError.self) {
        try watch.working(on: path) { Issue.record("it was opened") }
      }
      #expect(error == ArchiveError(path: path, .unreadable(reason)))
    }
    #expect(try watch.working(on: "d.h5") { 7 } == 7)
    #expect(watch.reportedBefore == 0)
  }

  @Test func nonsenseInTheEnvironmentIsNoWatch() throws {
    let watch = HDF5Watch([
      HDF5Watch.Key.descriptor: "off", HDF5Watch.Key.lost: "x", HDF5Watch.Key.reported: "y",
    ])
    watch.tell(.left)
    #expect(try watch.working(on: "x") { true })
  }
}
