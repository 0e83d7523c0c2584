import TensorArchives

/// Finds the cases under a path that a user has named.
///
/// ```swift
/// var search = Search(boundary: FileBoundary(["Fixtures"]))
/// search.visit("Fixtures")
/// search.cases  // in no certain order
/// ```
struct Search {
  private let boundary: FileBoundary
  private(set) var cases: [CaseLocation] = []
  /// Why some files and folders could not be looked at.
  private(set) var errors: [ArchiveError] = []
  /// The paths of files that are no cases, and not known to be something else either.
  private(set) var otherFiles: [String] = []
  /// The folders that were searched, by their paths without symbolic links: a link can lead
  /// to one of them again.
  private var visited: Set<String> = []
  /// The files that manifests take tensors from, by their paths without symbolic links.
  private var borrowed: Set<String> = []

  /// The most levels of folders that are searched.
  private static let largestDepth = 32

  init(boundary: FileBoundary) { self.boundary = boundary }

  /// Searches the file or folder at a path.
  mutating func visit(_ path: String) {
    do {
      try visit(path, name: [])
    } catch {
      errors.append(error)
    }
    guard !borrowed.isEmpty else { return }
    // A file that others take tensors from is no case, unless the user has named it or it
    // has a manifest of its own.
    let borrowed = borrowed
    cases.removeAll { location in
      location.path != path && borrowed.contains(FileBoundary.resolved(location.path) ?? "")
        && !Self.hasManifest(location.path)
    }
    otherFiles.removeAll { borrowed.contains(FileBoundary.resolved($0) ?? "") }
  }

  /// - Parameter name: the names of the folders and the file on the way from the path that
  ///   the user has named.
  private mutating func visit(_ path: String, name: [String]) throws(ArchiveError) {
    if !name.isEmpty { try boundary.check(path) }
    guard try FileBytes.kind(of: path) == .folder else { return visitFile(path, name) }
    guard visited.insert(FileBoundary.resolved(path) ?? path).inserted else { return }
    let files = try FileBytes.names(in: path)
    if files.contains(manifestName) {
      add(path, name.isEmpty ? [TensorContainer.lastComponent(of: path)] : name)
      noteBorrowed(by: path)
      noteOtherFiles(inCase: path, depth: 0)
      return
    }
    guard name.count < Self.largestDepth else {
      throw ArchiveError(
        path: path,
        .unsupported("folder", expected: "at most \(Self.largestDepth) levels", found: "more"))
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
    if name.isEmpty || TensorContainer.found(at: path)?.holdsNames == true {
      add(path, name.dropLast() + [TensorContainer.stem(of: path)])
    } else {
      noteOtherFile(path)
    }
  }

  private mutating func add(_ path: String, _ name: [String]) {
    cases.append(
      CaseLocation(name: name.joined(separator: "/"), path: path, boundary: boundary))
  }

  /// Whether a file or folder has a manifest. One that can't be read counts too, so that it
  /// is a case, which says why.
  private static func hasManifest(_ path: String) -> Bool {
    do {
      return try PendingArchive(path).manifest() != nil
    } catch {
      return true
    }
  }

  /// Notes the files that a folder's manifest takes tensors from. Where something is wrong
  /// with the manifest, this says nothing: the case will.
  private mutating func noteBorrowed(by folder: String) {
    guard let text = try? PendingArchive(folder, within: boundary).manifest(),
      let manifest = try? Manifest(parsing: text)
    else { return }
    for source in manifest.borrowed.values {
      if let path = FileBoundary.resolved(source.path(from: folder)) { borrowed.insert(path) }
    }
  }

  /// Notes the files in a case's folder, and in the folders in it, that hold no tensors.
  /// Nothing would read them.
  private mutating func noteOtherFiles(inCase folder: String, depth: Int) {
    guard depth < Self.largestDepth, let files = try? FileBytes.names(in: folder) else { return }
    for file in files where file != manifestName || depth > 0 {
      let path = folder + "/" + file
      if (try? FileBytes.kind(of: path)) == .folder {
        guard visited.insert(FileBoundary.resolved(path) ?? path).inserted else { continue }
        noteOtherFiles(inCase: path, depth: depth + 1)
      } else if TensorContainer.found(at: path) == nil {
        noteOtherFile(path)
      }
    }
  }

  /// Notes a file, unless it is one for people to read, or describes another.
  private mutating func noteOtherFile(_ path: String) {
    let isReadme = TensorContainer.lastComponent(of: path).uppercased().hasPrefix("README")
    if !isReadme, !TensorContainer.isDescription(path) { otherFiles.append(path) }
  }
}
