import ParityFixtures
import RecurrentModel
import TensorComparison
import TensorCore

extension Judge {
  /// Without parameters there is the reference alone to hold outputs to, under
  /// torch.testing's tolerance unless the case, or the run, states another.
  func suppliedOnly(
    _ result: CaseResult, _ parityCase: ParityCase, _ supplied: SuppliedOutputs
  ) -> CaseResult {
    var result = result
    do throws(SuppliedOutputs.Missing) {
      let outputs = try supplied.recurrent()
      result.status = .failed
      if let mismatch = outputs.shapeMismatch(with: parityCase.reference, of: .outputs) {
        result.remarks = [mismatch]
        return result
      }
      result.layout += LayoutJudge.findings(
        parityCase.contract, outputs, side: .engine, limits: .torch(sourceArithmetic ?? .float32))
      for (given, expected) in zip(outputs.named, parityCase.reference.named) {
        let type = Arithmetic(of: expected.tensor.elementType) ?? .float32
        let stored = sourceArithmetic.map(type.coarser) ?? type
        let rule = override ?? parityCase.manifest.tolerance.rule(for: given.name)
        let limits = rule.limits(for: stored) ?? .torch(stored)
        result.comparisons.append(
          TensorFinding(
            sides: .subjectAndReference, name: given.name, arithmetic: stored, rule: rule,
            difference: TensorDifference(of: given.tensor, from: expected.tensor, within: limits),
            torchAgrees: TensorDifference(
              of: given.tensor, from: expected.tensor, within: .torch(stored)
            ).agrees))
      }
      let agree =
        result.comparisons.allSatisfy(\.difference.agrees) && result.layout.allSatisfy(\.holds)
      result.status = agree ? .passed : .failed
      result.remarks = [
        agree
          ? "no state_dict: held to the reference alone" : "the outputs differ from the reference"
      ]
    } catch {
      result.status = .failed
      result.remarks = ["\(error)"]
    }
    return result
  }
}

extension SuppliedOutputs {
  func recurrent() throws(Missing) -> RecurrentOutput {
    guard let outputs = RecurrentOutput(named: try outputs.get()) else {
      preconditionFailure("every module's h_n is required")
    }
    return outputs
  }
}
