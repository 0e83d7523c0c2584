import FixtureSupport
import ParityFixtures
import RecurrentEngine
import RecurrentModel
import TensorComparison
import TensorCore
import Testing

@testable import ParityJudging

/// Which side is blamed, and how a case ends.
@Suite struct VerdictTests {
  /// A subject with a mistake in its outputs.
  private static func judge(
    override: ToleranceRule? = nil,
    mistake: @escaping @Sendable (RecurrentOutput) -> RecurrentOutput
  ) -> Judge {
    Judge(
      override: override,
      subject: .pass { call in
        MistakenPass(honest: Engine.forwardPass(call)) { _, outputs in mistake(outputs) }
      })
  }

  /// Adds to one element of one tensor.
  private static func adding(
    _ error: Double, to name: String, at offset: Int
  ) -> @Sendable (RecurrentOutput) -> RecurrentOutput {
    { outputs in
      func changed(_ own: String, _ tensor: Tensor) -> Tensor {
        // The properties run on parts of the input, with shorter results.
        own == name && offset < tensor.count
          ? tensor.changing { $0[offset] += error } : tensor
      }
      return RecurrentOutput(
        output: outputs.output.map { changed("output", $0) }, hN: changed("h_n", outputs.hN),
        cN: outputs.cN.map { changed("c_n", $0) })
    }
  }

  /// The directions of `output` exchanged.
  private static func halvesSwapped(_ outputs: RecurrentOutput) throws -> RecurrentOutput {
    let output = try #require(outputs.output)
    let half = output.shape.axes[output.shape.rank - 1] / 2
    let swapped = output.gathering(
      blocksOf: half, at: (0..<output.count / half).map { ($0 ^ 1) * half }, shape: output.shape)
    return RecurrentOutput(output: swapped, hN: outputs.hN, cN: outputs.cN)
  }

  @Test(arguments: ["output", "h_n", "c_n"])
  func aWrongEngineIsBlamed(tensor: String) throws {
    let parityCase = try FixtureSuite.named("lstm-stacked-bidirectional")
    let judge = Self.judge(mistake: Self.adding(1e-4, to: tensor, at: 3))
    let result = judge.judge(parityCase)
    #expect(result.status == .failed)
    #expect(
      result.remarks.first == "the oracle reproduces the reference, the engine does not")
    let finding = try #require(
      result.findings.comparisons.first { !$0.difference.agrees && $0.sides.isVerdict })
    #expect(finding.name == tensor)
    #expect(finding.difference.mismatched.count == 1)
    #expect(finding.difference.firstMismatch?.offset == 3)
  }

  @Test func aNaNInTheEngineFails() throws {
    let judge = Self.judge(mistake: Self.adding(.nan, to: "output", at: 0))
    let result = judge.judge(try FixtureSuite.named("lstm"))
    #expect(result.status == .failed)
  }

  @Test func theEnginesLayoutIsHeldBitForBit() throws {
    // Far below any tolerance, in the last step of the only direction.
    let parityCase = try FixtureSuite.named("gru")
    let last = try #require(parityCase.outputs.output).count - 1
    let result = Self.judge(mistake: Self.adding(1e-7, to: "output", at: last)).judge(parityCase)
    #expect(result.status == .failed)
    #expect(result.remarks.contains("the engine's output breaks the layout contract"))
  }

  @Test func aNaNInAParameterIsNamed() throws {
    let parityCase = try FixtureSuite.named("gru")
    var tensors = try #require(parityCase.call).stateDict.tensors
    tensors["bias_ih_l0"] = tensors["bias_ih_l0"]?.changing { $0[0] = .nan }
    let result = Judge().judge(try parityCase.with(parameters: tensors))
    #expect(result.status == .failed)
    #expect(
      result.remarks == [
        "the reference does not follow from these weights and this configuration",
        "state_dict/bias_ih_l0 holds a number that is not finite",
      ])
  }

  @Test(arguments: [Double.nan, .infinity, 1e-30, -0.0])
  func paddingThatIsNotZeroIsInvalid(value: Double) throws {
    let parityCase = try FixtureSuite.named("lstm-packed")
    let outputs = parityCase.outputs
    let padding = try #require(parityCase.contract.identities.last)
    let output = outputs.output?.changing { $0[padding.outputOffsets[0]] = value }
    let result = Judge().judge(
      parityCase.with(
        outputs: RecurrentOutput(output: output, hN: outputs.hN, cN: outputs.cN)))
    #expect(result.status == .invalid)
    #expect(result.remarks == ["the reference breaks the layout contract"])
  }

  @Test func anAllNaNReferenceIsInvalid() throws {
    let parityCase = try FixtureSuite.named("gru")
    func nan(_ tensor: Tensor) -> Tensor { tensor.changing { $0 = $0.map { _ in .nan } } }
    let outputs = parityCase.outputs
    let result = Judge().judge(
      parityCase.with(
        outputs: RecurrentOutput(output: outputs.output.map(nan), hN: nan(outputs.hN), cN: nil)))
    #expect(result.status == .invalid)
    #expect(result.remarks == ["the reference has no finite element to compare"])
  }

  /// What is alike wherever it stands tells no half, step or row from another.
  @Test(arguments: [Double.nan, .infinity, 0])
  func aDirectionThatTellsNothingIsInvalid(value: Double) throws {
    let parityCase = try FixtureSuite.named("gru-layout-only")
    let outputs = parityCase.outputs
    #expect(Judge().judge(parityCase).status == .passed)
    // The reverse halves of output and the reverse rows of h_n.
    let size = parityCase.contract.outputSize
    let output = outputs.output?.changing { elements in
      for k in elements.indices where k % (2 * size) >= size && elements[k] != 0 {
        elements[k] = value
      }
    }
    let row = outputs.hN.count / 4
    let hN = outputs.hN.changing { elements in
      for k in elements.indices where k / row % 2 == 1 { elements[k] = value }
    }
    let result = Judge().judge(
      parityCase.with(outputs: RecurrentOutput(output: output, hN: hN, cN: nil)))
    #expect(result.status == .invalid)
    #expect(
      result.remarks == ["a direction of the reference has no finite element but zeros to compare"])
  }

  @Test func aCellWithoutParametersIsInvalid() throws {
    let result = Judge().judge(try FixtureSuite.named("gru-cell").with(chain: nil))
    #expect(result.status == .invalid)
    #expect(result.remarks.first?.hasPrefix("a cell has no layout") == true)
  }

  @Test func anAllNaNLayoutIsInvalidToo() throws {
    let parityCase = try FixtureSuite.named("article-printed")
    func nan(_ tensor: Tensor) -> Tensor { tensor.changing { $0 = $0.map { _ in .nan } } }
    let outputs = parityCase.outputs
    let result = Judge().judge(
      parityCase.with(
        outputs: RecurrentOutput(
          output: outputs.output.map(nan), hN: nan(outputs.hN), cN: outputs.cN)))
    #expect(result.status == .invalid)
  }

  @Test func aReferenceThatBreaksTheContractIsInvalid() throws {
    let parityCase = try FixtureSuite.named("article-printed")
    let result = Judge().judge(
      parityCase.with(outputs: try Self.halvesSwapped(parityCase.outputs)))
    #expect(result.status == .invalid)
    #expect(
      result.findings.layout.allSatisfy {
        $0.mistake?.hasPrefix("the directions of output are swapped") == true
      })
  }

  @Test func anExpectedFailureThatPassesFails() throws {
    let skipped = try FixtureSuite.named("article-printed-input")
    let right = try FixtureSuite.named("article-reconstructed")
    let result = Judge().judge(skipped.with(chain: right.chain))
    #expect(result.status == .failed)
    #expect(result.remarks.first?.hasPrefix("passes, but is expected to fail") == true)
  }

  @Test func anExpectedFailureWithoutWeightsThatPassesFailsToo() throws {
    let printed = try FixtureSuite.named("article-printed-input").with(chain: nil)
    let result = Judge().judge(printed)
    #expect(result.status == .failed)
    #expect(result.remarks.first?.hasPrefix("passes, but is expected to fail") == true)
  }

  /// However wide the case's tolerance: what another reading explains bit for bit
  /// is no rounding.
  @Test func aWideToleranceDoesNotHideSwappedDirections() throws {
    let parityCase = try FixtureSuite.named("lstm-bidirectional-batch-first")
    let wide = Judge(override: .explicit(rtol: 0, atol: 10))
    #expect(wide.judge(parityCase).status == .passed)
    let result = wide.judge(
      parityCase.with(outputs: try Self.halvesSwapped(parityCase.outputs)))
    #expect(result.status == .invalid)
    #expect(
      result.findings.layout.contains {
        $0.mistake?.hasPrefix("the directions of output are swapped") == true
      })
  }

  @Test func anEngineOfAnotherShapeFails() throws {
    let judge = Self.judge { outputs in
      RecurrentOutput(
        output: outputs.output, hN: outputs.hN.reshaped([outputs.hN.count]), cN: outputs.cN)
    }
    let result = judge.judge(try FixtureSuite.named("gru-zero-batch"))
    #expect(result.status == .failed)
    #expect(
      result.remarks == ["h_n: expected the shape (2, 0, 6), found (0,) from the engine"])
  }

  @Test func theCommandLinesToleranceReplacesTheCases() throws {
    let parityCase = try FixtureSuite.named("article-reconstructed")
    #expect(Judge().judge(parityCase).status == .passed)
    #expect(Judge(override: .torch).judge(parityCase).status == .failed)
    #expect(Judge(override: .explicit(rtol: 0, atol: 1)).judge(parityCase).status == .passed)
    let full = try FixtureSuite.named("article-reconstructed-full")
    // Nobody else's exp and tanh give the same bits.
    let exact = Judge(override: .exact).judge(full)
    #expect(exact.status == .failed)
    #expect(
      exact.remarks == [
        "the engine reproduces the reference as torch.testing asks, but not as closely as this "
          + "case's rule"
      ])
  }

  @Test func aToleranceByOutputIsUsed() throws {
    let result = Judge().judge(try FixtureSuite.named("lstm-long"))
    let rules = Dictionary(
      result.findings.comparisons.map { ($0.name, $0.rule) },
      uniquingKeysWith: { first, _ in first })
    #expect(rules["output"] == .torch)
    #expect(rules["c_n"] == .explicit(rtol: 1e-6, atol: 1e-6))
  }

  @Test func aZeroBatchComparesShapesAndSaysSo() throws {
    let configuration = try RecurrentConfiguration(module: .gru, inputSize: 2, hiddenSize: 3)
    let manifest = try Manifest(
      parsing: """
        {"format": "pytorch-parity/1", "module": "GRU",
         "arguments": {"input_size": 2, "hidden_size": 3}}
        """)
    var tensors = [
      "inputs/input": Tensor([] as [Float], shape: [4, 0, 2]),
      "outputs/output": Tensor([] as [Float], shape: [4, 0, 3]),
      "outputs/h_n": Tensor([] as [Float], shape: [1, 0, 3]),
    ]
    for parameter in configuration.parameters {
      tensors["state_dict/" + parameter.name] = Tensor(
        [Float](repeating: 1, count: parameter.shape.elementCount), shape: parameter.shape)
    }
    let location = CaseLocation(name: "empty", path: "empty")
    let result = Judge().judge(try ParityCase(location, manifest, tensors))
    #expect(result.status == .passed)
    #expect(result.remarks == ["zero batch: shapes only"])
  }
}

/// A forward pass that gets something wrong.
struct MistakenPass: ForwardPass {
  let honest: any ForwardPass
  let mistake: @Sendable (RecurrentInput, RecurrentOutput) -> RecurrentOutput

  func outputs(for input: RecurrentInput) -> RecurrentOutput {
    mistake(input, honest.outputs(for: input))
  }
}
