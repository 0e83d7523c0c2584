import TensorArchives
import TestSupport
import Testing

@testable import ParityFixtures

@Suite struct DiscoveryTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try folder.write("", to: "b.npz")
    try folder.write("", to: "deep/c.h5")
    try folder.write("{}", to: "a-case/manifest.json")
    try folder.write("", to: "a-case/outputs/output.npy")
    try folder.write("", to: "README.md")
    try folder.write("", to: ".hidden.npz")
    try folder.write("", to: "notes.txt")
    try folder.write("", to: "loose.npy")
  }

  @Test func findsFilesAndCaseFolders() {
    let discovery = Discovery(paths: [folder.path])
    #expect(discovery.cases.map(\.name) == ["a-case", "b", "deep/c"])
    #expect(
      discovery.cases.map(\.path)
        == ["a-case", "b.npz", "deep/c.h5"].map { folder.path + "/" + $0 })
    #expect(discovery.errors.isEmpty)
  }

  @Test func namesFilesThatAreNoCase() {
    let otherFiles = Discovery(paths: [folder.path]).otherFiles
    #expect(otherFiles == ["loose.npy", "notes.txt"].map { folder.path + "/" + $0 })
  }

  @Test func aFileOrCaseFolderIsACaseByItself() {
    let paths = ["b.npz", "a-case/"].map { folder.path + "/" + $0 }
    let discovery = Discovery(paths: paths)
    #expect(discovery.cases.map(\.name) == ["b", "a-case"])
    // What the user names is judged, and so refused with a reason.
    #expect(Discovery(paths: [folder.path + "/notes.txt"]).cases.count == 1)
  }

  @Test func namesThatMeanTwoCasesGiveWayToPaths() throws {
    try folder.write("", to: "b.h5")
    let names = Discovery(paths: [folder.path]).cases.map(\.name)
    #expect(names.contains(folder.path + "/b.npz") && names.contains(folder.path + "/b.h5"))
    #expect(Set(names).count == names.count)
  }

  @Test func aMissingPathIsAnErrorAndTheOthersAreFound() {
    let discovery = Discovery(paths: [folder.path + "/none", folder.path])
    #expect(discovery.errors.map(\.path) == [folder.path + "/none"])
    #expect(discovery.cases.count == 3)
  }

  @Test func anEmptyFolderHasNoCase() throws {
    let empty = try TemporaryFolder()
    let discovery = Discovery(paths: [empty.path])
    #expect(discovery.cases.isEmpty && discovery.errors.isEmpty)
  }

  @Test func aLinkInACircleEndsAndFindsNothingTwice() throws {
    for name in ["a", "b", "c", "d"] { try folder.link("deep/" + name, to: folder.path) }
    let discovery = Discovery(paths: [folder.path])
    #expect(discovery.errors.isEmpty)
    #expect(discovery.cases.map(\.name) == ["a-case", "b", "deep/c"])
  }

  @Test func aLinkOutOfTheFolderIsAnErrorUnlessAllowed() throws {
    let outside = try TemporaryFolder()
    try folder.link("deep/link.npz", to: try outside.write("", to: "x.npz"))
    let discovery = Discovery(paths: [folder.path])
    #expect(discovery.errors.map(\.path) == [folder.path + "/deep/link.npz"])
    #expect(discovery.cases.count == 3)
    let allowed = Discovery(paths: [folder.path], allowedRoots: [outside.path])
    #expect(allowed.errors.isEmpty && allowed.cases.count == 4)
    // What the user names is read wherever it leads.
    #expect(Discovery(paths: [folder.path + "/deep/link.npz"]).errors.isEmpty)
  }

  @Test func whatAManifestBorrowsIsNoCase() throws {
    try folder.write(
      try bytes(of: Repository.fixtures + "/checkpoints/lstm-borrowed.npz"), to: "b.npz")
    let manifest = #"""
      {"format": "pytorch-parity/1", "module": "GRU",
       "tensors": {"state_dict": {"file": "../b.npz", "prefix": "encoder."}}}
      """#
    try folder.write(manifest, to: "a-case/manifest.json")
    #expect(Discovery(paths: [folder.path]).cases.map(\.name) == ["a-case", "deep/c"])
    #expect(Discovery(paths: [folder.path + "/b.npz"]).cases.map(\.name) == ["b"])
  }

  /// A fixture that another borrows from is still a case.
  @Test func whatHasAManifestStaysACase() throws {
    try folder.write(try bytes(of: Repository.fixtures + "/gru.npz"), to: "b.npz")
    let manifest = #"""
      {"format": "pytorch-parity/1", "module": "GRU",
       "tensors": {"state_dict": {"file": "../b.npz", "prefix": "state_dict/"}}}
      """#
    try folder.write(manifest, to: "a-case/manifest.json")
    #expect(Discovery(paths: [folder.path]).cases.map(\.name) == ["a-case", "b", "deep/c"])
  }

  @Test func anAllowedRootThatIsNotThereIsAnError() {
    let discovery = Discovery(paths: [folder.path], allowedRoots: ["/nonexistent"])
    #expect(discovery.errors.map(\.path) == ["/nonexistent"])
  }

  @Test func namesFilesInACaseThatAreNoTensor() throws {
    try folder.write("", to: "a-case/state_dict/weight.npy.bak")
    #expect(
      Discovery(paths: [folder.path]).otherFiles.contains(
        folder.path + "/a-case/state_dict/weight.npy.bak"))
  }
}
