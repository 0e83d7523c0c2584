import Platform
import TensorCore

/// An ONNX model as an archive. It holds no manifest.
///
/// The weights of an LSTM, GRU or RNN node have the names of PyTorch's parameters behind the
/// node's own, `/encoder/LSTM.weight_ih_l0`, and are put into PyTorch's order. A node without a
/// name is called by its kind and its place among those, `LSTM_0`. All other initialisers of the
/// graph have their own names. Constants, most of which are shapes, are no tensors of the
/// archive, but such a node's weights may be made of them (`ONNXConstants`). The graphs inside of
/// the nodes If, Loop and Scan belong to it too.
struct ONNXArchive: TableArchive {
  let path: String
  let tensorNames: [String]
  let table: TensorTable

  /// - Throws: `ArchiveError` where it is no ONNX model, is cut off, or holds a tensor whose
  ///   elements do not fit its axes.
  init(path: String) throws(ArchiveError) {
    self.path = path
    let bytes = try FileBytes.read(path)
    let graph = try ArchiveError.locating(path) { () throws(ArchiveError.Reason) in
      try ONNXGraph(model: bytes)
    }
    var entries: [(name: String, entry: Result<TableEntry, ArchiveError.Reason>)] = []
    for tensor in graph.tensors {
      let entry = try ArchiveError.locating(path, member: TensorName.short(tensor.name)) {
        () throws(ArchiveError.Reason) in try Self.entry(tensor, in: bytes)
      }
      entries.append((tensor.name, entry))
    }
    let stored = graph.constants.compactMap { tensor in
      (try? tensor.entry(in: bytes)).map { (tensor.name, $0) }
    }
    var constants = ONNXConstants(
      stored: Dictionary(
        entries.compactMap { name, entry in (try? entry.get()).map { (name, $0) } } + stored,
        uniquingKeysWith: { first, _ in first }),
      nodes: graph.rearranging)
    var converted: Set<String> = []
    for (node, recurrent) in graph.recurrent {
      do throws(ArchiveError.Reason) {
        for (name, entry) in try recurrent.parameters(from: &constants) {
          entries.append(("\(node).\(name)", .success(entry)))
        }
        converted.formUnion(recurrent.weights)
      } catch {
        if case .corrupt = error {
          throw ArchiveError(path: path, member: TensorName.short(node), error)
        }
        entries.append((node, .failure(error)))
      }
    }
    var table = TensorTable(fileSize: bytes.count)
    for (name, entry) in entries where !converted.contains(name) {
      try ArchiveError.locating(path, member: TensorName.short(name)) {
        () throws(ArchiveError.Reason) in try table.add(name, entry)
      }
    }
    self.table = table
    tensorNames = table.entries.keys.sorted()
  }

  func manifest() -> String? { nil }

  /// A tensor that is not read stands in the table with the reason.
  ///
  /// - Throws: `ArchiveError.Reason` where the file contradicts itself.
  private static func entry(
    _ tensor: ONNXTensor, in bytes: Data
  ) throws(ArchiveError.Reason) -> Result<TableEntry, ArchiveError.Reason> {
    do throws(ArchiveError.Reason) {
      return .success(try tensor.entry(in: bytes))
    } catch {
      if case .unsupported = error { return .failure(error) }
      throw error
    }
  }
}
