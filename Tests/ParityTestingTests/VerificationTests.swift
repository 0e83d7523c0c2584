import ParityTesting
import TestSupport
import Testing

/// The library as another package uses it, through what is public alone.
@Suite struct VerificationTests {
  private static let fixtures = Repository.fixtures
  private static let path = "\(fixtures)/lstm-bidirectional-batch-first"

  private func fixture(_ name: String) throws -> Fixture {
    let all = try Fixture.all(in: Self.fixtures)
    return try #require(all.first { $0.name == name })
  }

  /// The reference's own outputs.
  private func reference(_ fixture: Fixture) throws -> [String: FixtureTensor] {
    let names = ["output", "h_n", "c_n"]
    return try Dictionary(
      uniqueKeysWithValues: names.map {
        (
          $0,
          try FixtureTensor(
            try npyFloats("\(Self.path)/outputs/\($0).npy"), shape: shapes[$0] ?? [])
        )
      })
  }

  private let shapes = ["output": [3, 5, 12], "h_n": [2, 3, 6], "c_n": [2, 3, 6]]

  /// The data of a small file of little-endian floats, behind its header.
  private func npyFloats(_ path: String) throws -> [Float] {
    let bytes = try bytes(of: path)
    let start = 10 + Int(bytes[8]) + Int(bytes[9]) << 8
    return stride(from: start, to: bytes.count, by: 4).map { place in
      Float(
        bitPattern: (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[place + $1]) << UInt32(8 * $1) })
    }
  }

  @Test func theReferencesOwnOutputsPass() throws {
    let fixture = try fixture("lstm-bidirectional-batch-first")
    let verdict = try fixture.verify(reference)
    #expect(verdict.status == .passed)
    #expect(verdict.report.hasSuffix("bit for bit"))
  }

  @Test func aFailureCarriesTheReportAndTheDiagnosis() throws {
    let fixture = try fixture("lstm-bidirectional-batch-first")
    let failure = #expect(throws: ParityFailure.self) {
      try fixture.verify { fixture in
        var outputs = try reference(fixture)
        (outputs["h_n"], outputs["c_n"]) = (outputs["c_n"], outputs["h_n"])
        return outputs
      }
    }
    #expect(failure?.status == .failed)
    #expect("\(try #require(failure))".contains("[final-states-exchanged]"))
    let silent = #expect(throws: ParityFailure.self) {
      try fixture.verify(options: VerificationOptions(diagnosis: .off)) { _ in
        var outputs = try reference(fixture)
        outputs["h_n"] = outputs["c_n"]
        return outputs
      }
    }
    #expect(silent?.description.contains("diagnosis") == false)
  }

  @Test(arguments: [
    (
      ["output", "h_n"],
      "c_n: expected a tensor of floats, beside output, h_n, c_n, found only h_n (2, 3, 6), "
        + "output (3, 5, 12)"
    ),
    (
      ["output", "h_n"],
      "if no more was kept than output, h_n, judge by that: --only output,h_n, or "
        + "VerificationOptions(only:)"
    ),
    (["output", "h_n", "c_n", "x"], "x: expected none but output, h_n, c_n, found a tensor"),
  ])
  func whatIsMissingOrExtraIsNamed(names: [String], message: String) throws {
    let fixture = try fixture("lstm-bidirectional-batch-first")
    let failure = #expect(throws: ParityFailure.self) {
      try fixture.verify { fixture in
        let all = try reference(fixture)
        return try Dictionary(
          uniqueKeysWithValues: names.map { ($0, try all[$0] ?? FixtureTensor([0.0], shape: [1])) })
      }
    }
    #expect(failure?.description.contains(message) == true)
  }

  /// And not the end of all tests.
  @Test(arguments: [
    (5, [2, 3], "a tensor (2, 3): expected 6 elements, found 5"),
    (0, [], "a tensor (): expected 1 elements, found 0"),
    (2, [-1, -2], "expected a shape without negative axes, found (-1, -2)"),
  ])
  func elementsThatDoNotFillAShapeAreAnError(count: Int, shape: [Int], message: String) throws {
    let fixture = try fixture("lstm")
    let error = #expect(throws: FixtureTensor.ShapeMismatch.self) {
      try fixture.verify { _ in
        ["output": try FixtureTensor([Float](repeating: 0, count: count), shape: shape)]
      }
    }
    #expect(error?.description == message)
    #expect(throws: FixtureTensor.ShapeMismatch.self) {
      try FixtureTensor([Double](repeating: 0, count: count), shape: shape)
    }
  }

  @Test func coarserArithmeticIsAllowedWhereItIsSaid() throws {
    let fixture = try fixture("lstm-bidirectional-batch-first")
    func rounded(_ fixture: Fixture) throws -> [String: FixtureTensor] {
      try reference(fixture).mapValues { tensor in
        try FixtureTensor(
          tensor.floats.map { Float(bitPattern: ($0.bitPattern &+ 0x8000) & 0xFFFF_0000) },
          shape: tensor.shape)
      }
    }
    #expect(throws: ParityFailure.self) { try fixture.verify(rounded) }
    try fixture.verify(options: VerificationOptions(arithmetic: .bfloat16), rounded)
  }

  @Test func whatTheImplementationThrowsIsThrownOn() async throws {
    struct Unfinished: Error {}
    let fixture = try fixture("lstm")
    #expect(throws: Unfinished.self) { try fixture.verify { _ in throw Unfinished() } }
    await #expect(throws: Unfinished.self) {
      try await fixture.verify { _ in
        await Task.yield()
        throw Unfinished()
      }
    }
  }

  /// Nothing is computed where there are no parameters; what is wrong in itself fails.
  @Test func casesWithoutParametersAndBrokenOnes() throws {
    let layout = try fixture("article-printed")
    #expect(!layout.canBeComputed && layout.stateDict.isEmpty)
    #expect(try layout.verify { _ in [:] }.report.contains("layout only"))
    let folder = try TemporaryFolder()
    try folder.write(Array("nothing".utf8), to: "broken.npz")
    let all = try Fixture.all(in: folder.path) { _ in false }
    #expect(all.map(\.name) == ["broken"] && all[0].module == nil)
    let failure = #expect(throws: ParityFailure.self) { try all[0].verify { _ in [:] } }
    #expect(failure?.status == .unreadable)
  }

  @Test func anEmptySelectionIsAnError() throws {
    let folder = try TemporaryFolder()
    #expect(throws: Fixture.NoFixtures.self) { try Fixture.all(in: folder.path) }
    #expect(throws: Fixture.NoFixtures.self) { try Fixture.all(in: folder.path + "/none") }
    let error = #expect(throws: Fixture.NoFixtures.self) {
      try Fixture.all(in: Self.path) { $0.module?.name == .gru }
    }
    #expect(error?.description.hasPrefix("none of the 1 cases in ") == true)
  }

  @Test func aChainTellsItsModules() throws {
    let fixture = try fixture("sequential-lstm-classifier")
    #expect(fixture.module == nil && fixture.arithmetic == .float32)
    #expect(
      fixture.chainModules.map(\.moduleClass)
        == [.embedding, .lstm, .directionMerge, .linear, .logSoftmax])
    #expect(fixture.stateDict["bilstm.weight_ih_l0_reverse"]?.shape == [24, 5])
    #expect(fixture.input?.integers?.isEmpty == false)
    let failure = #expect(throws: ParityFailure.self) {
      try fixture.verify { _ in
        ["output": try FixtureTensor([Float](repeating: 0, count: 12), shape: [4, 3])]
      }
    }
    #expect(failure?.status == .failed)
  }

  @Test func aFixtureTellsItsModuleAndItsTensors() throws {
    let fixture = try fixture("lstm-packed")
    let module = try #require(fixture.module)
    #expect(module.name == .lstm && module.isPacked && module.isBatched)
    #expect(fixture.stateDict["weight_hh_l0"]?.shape == [4 * module.hiddenSize, module.hiddenSize])
    #expect(fixture.input?.shape.last == module.inputSize)
    #expect(fixture.lengths?.isEmpty == false)
    #expect(fixture.input?.elementType == .float32 && fixture.input?.integers == nil)
    #expect(fixture.input?.floats.map(Double.init) == fixture.input?.doubles)
  }
}
