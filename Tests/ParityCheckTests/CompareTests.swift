import Foundation
import TensorArchives
import TensorCore
import TestSupport
import Testing

/// `parity-check compare`, as a user runs it.
@Suite struct CompareTests {
  private let folder: TemporaryFolder
  private let elements = (0..<24).map { Float($0) / 7 + 1 }

  init() throws { folder = try TemporaryFolder() }

  private func write(_ name: String, _ tensors: [String: Tensor]) throws {
    try TensorContainer.write(tensors, to: folder.path + "/" + name)
  }

  private func compare(_ arguments: String...) throws -> Tool {
    try Tool(["compare"] + arguments, in: folder.path)
  }

  private func changed(_ change: (inout [Float]) -> Void) -> Tensor {
    var elements = elements
    change(&elements)
    return Tensor(elements, shape: [2, 3, 4])
  }

  private var right: Tensor { Tensor(elements, shape: [2, 3, 4]) }

  /// Two runs' results: their tensors belong to the files that they stand in.
  @Test func foldersOfManyFilesAreComparedFileByFile() throws {
    for run in ["one", "two"] {
      try FileManager.default.createDirectory(
        atPath: folder.path + "/" + run, withIntermediateDirectories: true)
      try write(run + "/gru.npz", ["output": right, "h_n": right])
      try write(run + "/lstm.npz", ["output": right])
      try write(run + "/case", ["output": right])
    }
    let tool = try compare("one", "two")
    #expect(tool.status == 0)
    #expect(tool.lines.last?.hasPrefix("4 tensors: 4 agree in ") == true)
    try write("two/lstm.npz", ["output": changed { $0[3] += 1 }])
    let differing = try compare("one", "two")
    #expect(differing.status == 1)
    #expect(differing.lines.contains { $0.hasPrefix("differs     lstm/output ") })
    #expect(differing.lines.last?.hasPrefix("4 tensors: 3 agree, 1 differs in ") == true)
  }

  @Test func theSameNumbersAgreeInAnyContainer() throws {
    let lengths = Tensor([Int64(3), 1], shape: [2])
    let tensors = ["outputs/output": right, "inputs/lengths": lengths]
    var names = ["a.npz", "folder"]
    #if HDF5
      names.append("a.h5")
    #endif
    for name in names { try write(name, tensors) }
    for name in names {
      let tool = try compare("folder", name)
      #expect(tool.status == 0 && tool.errors.isEmpty)
      #expect(
        tool.lines.dropLast() == [
          "agrees      inputs/lengths  int64 (2,): equal",
          "agrees      outputs/output  float32 (2, 3, 4): equal",
        ])
      #expect(tool.lines.last?.hasPrefix("2 tensors: 2 agree in ") == true)
    }
  }

  @Test func aDifferenceIsToldInFull() throws {
    try write("expected.npy", ["": right])
    try write(
      "actual.npy",
      [
        "": changed {
          $0[13] += 0.25
          $0[14] += 0.0625
        }
      ])
    let tool = try compare("expected.npy", "actual.npy")
    #expect(tool.status == 1)
    #expect(
      tool.lines.dropLast() == [
        "differs     expected  float32 (2, 3, 4): 2 of 24 elements differ (8.3%)",
        "    largest absolute difference 2.50e-01 at (1, 0, 1), 1.37e-05 allowed: "
          + "expected 2.857143, found 3.107143",
        "    largest relative difference 8.75e-02 at (1, 0, 1): expected 2.857143, found 3.107143",
        "    would pass: rtol 8.75e-02 with atol 1e-05, or rtol 0 with atol 2.50e-01",
        "    mismatches: axis 0: only 1; axis 1: only 0; axis 2: 1, 2",
        "    |Δ| from      elements",
        "      1e-01        1  ▪▪",
        "      1e-02        1  ▪▪",
        "      0           22  ▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪",
      ])
    #expect(
      try compare("expected.npy", "actual.npy", "--rtol", "8.75e-02", "--atol", "1e-5").status == 0)
    #expect(
      try compare("expected.npy", "actual.npy", "--rtol", "8.74e-02", "--atol", "1e-5").status == 1)
    #expect(
      try compare("expected.npy", "actual.npy", "--tensor", "expected=0,0.25").status == 0)
    #expect(
      try compare("expected.npy", "actual.npy", "--tensor", "expected=0,0.24").status == 1)
  }

  @Test func eachKindOfMismatchIsOneLine() throws {
    try write(
      "expected.npz",
      [
        "shape": right, "type": right, "missing": right, "integer": Tensor([Int32(1)], shape: [1]),
      ])
    try write(
      "actual.npz",
      [
        "shape": right.reshaped([6, 4]), "type": right.rounded(to: .float64), "extra": right,
        "integer": Tensor([Int32(2)], shape: [1]),
      ])
    let tool = try compare("expected.npz", "actual.npz")
    #expect(tool.status == 1)
    #expect(
      tool.lines.filter { !$0.hasPrefix(" ") }.dropLast() == [
        "differs     integer  int32 (1,): 1 of 1 element differ (100.0%)",
        "differs     shape    shape: expected (2, 3, 4), found (6, 4)",
        "differs     type     (2, 3, 4): element type: expected float32, found float64; equal",
        "missing     missing  expected float32 (2, 3, 4), found nothing of this name",
        "extra       extra    expected nothing of this name, found float32 (2, 3, 4)",
      ])
    // Integers differ by integers.
    #expect(
      tool.lines.contains(
        "    largest absolute difference 1 at (0,), 0 allowed: expected 1, found 2"))
    #expect(
      tool.lines.contains("    agrees when reshaped: the elements are right, row by row"))
    #expect(tool.lines.last?.hasPrefix("5 tensors: 3 differ, 1 missing, 1 extra in ") == true)
  }

  @Test func extraTensorsAndTypesAreIgnoredWhereItIsAskedFor() throws {
    try write("expected.npz", ["a": right, "b": right])
    try write(
      "actual.npz", ["a": right.rounded(to: .float64), "other": right, "extra": right])
    #expect(try compare("expected.npz", "actual.npz", "--map", "b=other").status == 1)
    let options = ["--map", "b=other", "--ignore-extra", "--ignore-type"]
    #expect(
      try Tool(["compare", "expected.npz", "actual.npz"] + options, in: folder.path).status == 0)
    for left in options.dropFirst(2) {
      let rest = options.filter { $0 != left }
      #expect(
        try Tool(["compare", "expected.npz", "actual.npz"] + rest, in: folder.path).status == 1)
    }
  }

  @Test(arguments: [
    ([Float](repeating: .nan, count: 24), "    found NaN everywhere"),
    ([Float](repeating: 0, count: 24), "    found 0 everywhere"),
  ])
  func whatIsTheSameEverywhereIsSaid(elements: [Float], hint: String) throws {
    try write("expected.npy", ["": right])
    try write("actual.npy", ["": Tensor(elements, shape: [2, 3, 4])])
    let tool = try compare("expected.npy", "actual.npy")
    #expect(tool.status == 1 && tool.lines.contains(hint))
    // Where it is expected, there is nothing to say.
    #expect(try !compare("actual.npy", "actual.npy", "--verbose").lines.contains(hint))
  }

  @Test(arguments: [
    (2, "    found is 2 × expected"), (-1, "    found is -1 × expected: the sign"),
    (0.3333, "    found is 0.3333 × expected"),
  ])
  func aFactorIsSaid(factor: Float, hint: String) throws {
    try write("expected.npy", ["": right])
    try write("actual.npy", ["": changed { for k in $0.indices { $0[k] *= factor } }])
    let tool = try compare("expected.npy", "actual.npy")
    #expect(tool.status == 1 && tool.lines.contains(hint))
    // One element more that is off, and no factor explains it.
    try write(
      "actual.npy",
      [
        "": changed {
          for k in $0.indices { $0[k] *= factor }
          $0[5] += 1
        }
      ])
    let other = try compare("expected.npy", "actual.npy")
    #expect(!other.lines.contains { $0.contains("× expected") })
  }

  @Test func axesThatWereExchangedAreNamed() throws {
    try write("expected.npy", ["": right])
    let swapped = right.gathering(
      (0..<24).map { ($0 % 2) * 12 + $0 / 8 * 4 + $0 / 2 % 4 }, shape: [3, 4, 2])
    try write("actual.npy", ["": swapped])
    let tool = try compare("expected.npy", "actual.npy")
    #expect(tool.status == 1)
    #expect(tool.lines.contains("    agrees with its axes in the order (2, 0, 1)"))
  }

  @Test func nonFiniteNumbersHaveNoTolerance() throws {
    try write("expected.npy", ["": changed { $0[3] = .infinity }])
    try write("actual.npy", ["": changed { $0[3] = -.infinity }])
    let tool = try compare("expected.npy", "actual.npy", "--rtol", "1e9", "--atol", "1e9")
    #expect(tool.status == 1)
    #expect(
      tool.lines.contains(
        "    no tolerance would pass: 1 not finite on one side only, or not the same"))
    #expect(try compare("expected.npy", "expected.npy").status == 0)
  }

  @Test func exactMeansBitForBit() throws {
    try write("expected.npy", ["": changed { $0[0] = 0 }])
    try write("actual.npy", ["": changed { $0[0] = -0.0 }])
    #expect(try compare("expected.npy", "actual.npy").status == 0)
    let tool = try compare("expected.npy", "actual.npy", "--tolerance", "exact")
    #expect(tool.status == 1)
    #expect(
      tool.lines.contains("    only signs of zero differ: rtol 0 with atol 0 would pass"))
  }

  @Test func nothingComparedIsNotGreen() throws {
    try write("nan.npy", ["": Tensor([Float.nan], shape: [1])])
    try write("empty.npy", ["": Tensor([Float](), shape: [0])])
    let tool = try compare("nan.npy", "nan.npy")
    #expect(tool.status == 1 && tool.output.contains(": nothing compared: no element is finite\n"))
    let empty = try compare("empty.npy", "empty.npy")
    #expect(empty.status == 0 && empty.output.contains("(0,): no elements\n"))
    try write("a.npz", ["a": right, "b": right])
    try write("c.npz", ["c": right])
    let apart = try compare("a.npz", "c.npz")
    #expect(apart.status == 2)
    #expect(apart.errors == "error: nothing to compare: no tensor of a.npz is in c.npz\n")
  }

  @Test func damagedFilesAreStatusTwo() throws {
    try write("a.npz", ["a": right, "b": right])
    var bytes = try bytes(of: folder.path + "/a.npz")
    bytes[30 + "a.npy".utf8.count + 128] ^= 1
    try folder.write(bytes, to: "damaged.npz")
    try folder.write(bytes.prefix(200), to: "cut.npz")
    for pair in [["a.npz", "damaged.npz"], ["damaged.npz", "a.npz"]] {
      let tool = try Tool(["compare"] + pair, in: folder.path)
      #expect(tool.status == 2)
      #expect(tool.lines[0].hasPrefix("unreadable  a  damaged.npz: a.npy: CRC-32: expected "))
      #expect(tool.lines[1] == "agrees      b  float32 (2, 3, 4): equal")
    }
    for path in ["cut.npz", "none.npz", "a.bin"] {
      let tool = try compare("a.npz", path)
      #expect(tool.status == 2 && tool.errors.hasPrefix("error: \(path): "))
    }
  }

  @Test(arguments: [
    ["a.npz"], ["a.npz", "a.npz", "--rtol", "0"], ["a.npz", "a.npz", "--tensor", "a=1"],
    ["a.npz", "a.npz", "--tensor", "a=1,-1"], ["a.npz", "a.npz", "--tensor", "a=nan,0"],
    ["a.npz", "a.npz", "--map", "a"], ["a.npz", "a.npz", "--map", "a=b", "--map", "a=c"],
    ["a.npz", "a.npz", "--map", "a=c", "--map", "b=c"],
    ["a.npz", "a.npz", "--tolerance", "exact", "--rtol", "0", "--atol", "0"],
    ["a.npz", "a.npz", "--tolerance", "noise"],
  ])
  func wrongUsageIsStatusSixtyFour(arguments: [String]) throws {
    #expect(try Tool(["compare"] + arguments).status == 64)
  }

  @Test func filesWithoutTensorsAreNamed() throws {
    let folder = try TemporaryFolder()
    let tensor = try bytes(
      of: "\(Repository.fixtures)/lstm-bidirectional-batch-first/outputs/h_n.npy")
    for side in ["one", "two"] { try folder.write(tensor, to: side + "/h_n.npy") }
    try folder.write(Array("x".utf8), to: "one/model.pickle")
    let tool = try Tool("compare", folder.path + "/one", folder.path + "/two")
    #expect(tool.status == 0)
    #expect(
      tool.lines.first
        == "note: \(folder.path)/one/model.pickle holds no tensors, passed over")
  }
}
