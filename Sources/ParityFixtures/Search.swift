import TensorArchives

/// What stands under one path that a user named.
struct Search {
  private let boundary: FileBoundary
  private(set) var cases: [CaseLocation] = []
  private(set) var errors: [ArchiveError] = []
  private(set) var otherFiles: [String] = []
  /// Resolved; a link can lead to a folder that was searched already.
  private var visited: Set<String> = []
  /// Resolved paths of the files that manifests borrow.
  private var borrowed: Set<String> = []

  private static let deepest = 32

  init(boundary: FileBoundary) { self.boundary = boundary }

  mutating func visit(_ path: String) {
    do {
      try visit(path, name: [])
    } catch {
      errors.append(error)
    }
    guard !borrowed.isEmpty else { return }
    // What is borrowed is no case, unless the user named it or it has a manifest.
    let borrowed = borrowed
    cases.removeAll { location in
      location.path != path && borrowed.contains(FileBoundary.resolved(location.path) ?? "")
        && !Self.hasManifest(location.path)
    }
    otherFiles.removeAll { borrowed.contains(FileBoundary.resolved($0) ?? "") }
  }

  /// - Parameter name: the path below the one that the user named.
  private mutating func visit(_ path: String, name: [String]) throws(ArchiveError) {
    if !name.isEmpty { try boundary.check(path) }
    guard try FileBytes.kind(of: path) == .folder else { return visitFile(path, name) }
    guard visited.insert(FileBoundary.resolved(path) ?? path).inserted else { return }
    let files = try FileBytes.names(in: path)
    if files.contains(manifestName) {
      add(path, name.isEmpty ? [lastComponent(path)] : name)
      noteBorrowed(by: path)
      noteOtherFiles(inCase: path, depth: 0)
      return
    }
    guard name.count < Self.deepest else {
      throw ArchiveError(
        path: path,
        .unsupported("folder", expected: "at most \(Self.deepest) levels", found: "more"))
    }
    for file in files {
      do {
        try visit(path + "/" + file, name: name + [file])
      } catch {
        errors.append(error)
      }
    }
  }

  private mutating func visitFile(_ path: String, _ name: [String]) {
    if name.isEmpty || TensorContainer(path: path)?.holdsNames == true {
      add(path, name.dropLast() + [TensorContainer.stem(of: path)])
    } else {
      noteOtherFile(path)
    }
  }

  private mutating func add(_ path: String, _ name: [String]) {
    cases.append(
      CaseLocation(name: name.joined(separator: "/"), path: path, boundary: boundary))
  }

  /// True of a file that can't be read, too: its case tells why.
  private static func hasManifest(_ path: String) -> Bool {
    do {
      return try TensorContainer.manifest(of: path) != nil
    } catch {
      return true
    }
  }

  /// What is wrong with a manifest is the case's to tell.
  private mutating func noteBorrowed(by folder: String) {
    guard let text = try? TensorContainer.manifest(of: folder, within: boundary),
      let manifest = try? Manifest(parsing: text)
    else { return }
    for source in manifest.borrowed.values {
      if let path = FileBoundary.resolved(source.path(from: folder)) { borrowed.insert(path) }
    }
  }

  private mutating func noteOtherFiles(inCase folder: String, depth: Int) {
    guard depth < Self.deepest, let files = try? FileBytes.names(in: folder) else { return }
    for file in files where file != manifestName || depth > 0 {
      let path = folder + "/" + file
      if (try? FileBytes.kind(of: path)) == .folder {
        guard visited.insert(FileBoundary.resolved(path) ?? path).inserted else { continue }
        noteOtherFiles(inCase: path, depth: depth + 1)
      } else if TensorContainer(path: path) == nil {
        noteOtherFile(path)
      }
    }
  }

  private mutating func noteOtherFile(_ path: String) {
    if !lastComponent(path).uppercased().hasPrefix("README") { otherFiles.append(path) }
  }

  private func lastComponent(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }
}
