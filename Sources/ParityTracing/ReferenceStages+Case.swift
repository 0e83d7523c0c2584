package import ParityFixtures
import ParityJudging
package import RecurrentModel
import RoundingNoise
import TensorArchives
import TensorComparison
import TensorCore

extension ReferenceStages {
  /// The modules of a fixture, each a stage; a module of which the fixture holds no result is left
  /// out. σ is measured here.
  ///
  /// - Throws: `InvalidValue` for a fixture without parameters, of which nothing can be computed.
  /// - Complexity: O(17 forward passes).
  package init(_ parityCase: ParityCase) throws(InvalidValue) {
    guard let chain = parityCase.chain else {
      throw InvalidValue("state_dict", expected: "parameters, to measure σ with", found: "none")
    }
    let noise = try CaseNoise(ChainVariant(chain))
    let pair = SidePair(.reference, against: .oracle)
    var stages: [RecordedStage] = []
    var values: [String: Value] = [:]
    for (module, shapes) in zip(chain.modules, chain.shapes.stages) {
      let isLast = module.name == chain.modules.last?.name
      let names = shapes.results.map { module.qualified($0.name) } + (isLast ? ["output"] : [])
      let own = parityCase.reference.named.filter { names.contains($0.name) }
      guard !own.isEmpty else { continue }
      for (name, tensor) in own {
        let limits = noise.limits(
          pair, name, exact: tensor,
          stored: Arithmetic(of: tensor.elementType) ?? chain.arithmetic)
        // What is lost has a σ that says so.
        let sigma = zip(limits.sigma, limits.isJudged).map { $1 ? $0 : .infinity }
        values[name] = Value(
          source: { LoadedSource(tensor: tensor) },
          sigma: { LoadedSource(tensor: Tensor(sigma, shape: tensor.shape)) })
      }
      stages.append(
        RecordedStage(
          module.name.isEmpty ? module.className : module.name, className: module.className,
          inputs: stages.last?.outputs ?? [], outputs: own.map(\.name)))
    }
    self.init(
      path: parityCase.location.path, stages: stages, arithmetic: chain.arithmetic, values: values)
  }
}
