package import RecurrentModel
package import TensorArchives
package import TensorCore

/// A checkpoint under PyTorch's names. Parameters that it holds in another form
/// (`CheckpointForm`) are tensors of this archive like all others, in place of those that they
/// are made of.
///
/// ```swift
/// let archive = CheckpointArchive(try TensorContainer.open("model.npz"))
/// archive.modules.map(\.name)                         // ["encoder.lstm"]
/// try archive.tensor(named: "encoder.lstm.weight_hh_l0")
/// ```
package struct CheckpointArchive: TensorArchive {
  /// The archive as it is, with the names that stand in the file.
  package let wrapped: any TensorArchive
  package let tensorNames: [String]
  /// The names of the parameters that stand in the file in another form, sorted.
  package let derivedNames: [CheckpointForm: [String]]
  /// What is to be known of modules in another form, beside their parameters.
  package let remarks: [String]
  /// The names of the modules that stand in the file in another form, and that PyTorch does not
  /// have, sorted.
  package let refusedNames: [String]
  /// The recurrent modules whose parameters these are, by prefix.
  package let modules: [FoundModule]
  /// Why a recurrent module, or a parameter of one, can't be read, by its name.
  package let problems: [String: ArchiveError]
  private let derived: Entries

  private typealias Entries = [String: Result<DerivedTensor, ArchiveError.Reason>]

  /// - Complexity: O(tensors), with the headers of those that are a recurrent module's.
  package init(_ archive: any TensorArchive) {
    wrapped = archive
    let known = Set(archive.tensorNames)
    var (derived, derivedNames) = (Entries(), [CheckpointForm: [String]]())
    var remarks: [String] = []
    for form in CheckpointForm.allCases {
      let own = form.derived(from: archive)
      // A tensor that stands in the file by this name stays what it is.
      let new = own.entries.filter { derived[$0.key] == nil && !known.contains($0.key) }
      derived.merge(new) { first, _ in first }
      derivedNames[form] = new.filter { (try? $1.get()) != nil }.keys.sorted()
      remarks += own.remarks
    }
    let used = Set(derived.values.flatMap { (try? $0.get())?.sources ?? [] })
    let names = known.subtracting(used).union(derived.keys)
    self.derived = derived
    refusedNames = derived.filter { (try? $1.get()) == nil }.keys.sorted()
    self.derivedNames = derivedNames
    self.remarks = remarks
    tensorNames = names.sorted()
    var (shapes, problems) = ([String: Shape](), [String: ArchiveError]())
    for name in names {
      let entry = derived[name]
      guard entry != nil || RecurrentModule.parameterName(endOf: name) != nil else { continue }
      do throws(ArchiveError) {
        if let own = try Self.derived(entry, name, archive.path) {
          shapes[name] = own.header.shape
        } else {
          shapes[name] = try archive.header(of: name).shape
        }
      } catch {
        problems[name] = error
      }
    }
    modules = FoundModule.all(in: shapes)
    self.problems = problems
  }

  package var path: String { wrapped.path }
  package var otherFiles: [String] { wrapped.otherFiles }
  package var modelConfiguration: String? { wrapped.modelConfiguration }
  package func manifest() throws(ArchiveError) -> String? { try wrapped.manifest() }

  package func header(of name: String) throws(ArchiveError) -> TensorHeader {
    guard let derived = try derived(name) else { return try wrapped.header(of: name) }
    return derived.header
  }

  package func tensor(named name: String) throws(ArchiveError) -> Tensor {
    guard let derived = try derived(name) else { return try wrapped.tensor(named: name) }
    var sources: [Tensor] = []
    for source in derived.sources { sources.append(try wrapped.tensor(named: source)) }
    do throws(ArchiveError.Reason) {
      return try derived.make(sources)
    } catch {
      throw ArchiveError(path: path, member: name, error)
    }
  }

  package func source(of name: String) throws(ArchiveError) -> any TensorSource {
    guard try derived(name) != nil else { return try wrapped.source(of: name) }
    return LoadedSource(tensor: try tensor(named: name))
  }

  private func derived(_ name: String) throws(ArchiveError) -> DerivedTensor? {
    try Self.derived(derived[name], name, path)
  }

  private static func derived(
    _ entry: Result<DerivedTensor, ArchiveError.Reason>?, _ name: String, _ path: String
  ) throws(ArchiveError) -> DerivedTensor? {
    do throws(ArchiveError.Reason) {
      return try entry?.get()
    } catch {
      throw ArchiveError(path: path, member: name, error)
    }
  }

  /// Why a module of this name can't be read; nil where nothing is known of one.
  ///
  /// - Parameter name: nil for any.
  package func problem(of name: String?) -> ArchiveError? {
    guard let name else { return problems.min { $0.key < $1.key }?.value }
    let prefixes = "./".contains(name.last ?? " ") ? [name] : [name + ".", name + "/"]
    let own = problems.filter { other, _ in
      other == name || prefixes.contains { other.hasPrefix($0) }
    }
    if let first = own.min(by: { $0.key < $1.key }) { return first.value }
    guard wrapped.tensorNames.contains(name) else { return nil }
    do throws(ArchiveError) {
      _ = try wrapped.header(of: name)
      return nil
    } catch {
      return error
    }
  }
}
