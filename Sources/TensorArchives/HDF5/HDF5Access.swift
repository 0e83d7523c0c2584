#if HDF5
  import Platform
  import TensorCore

  /// How an archive gets at the contents of one HDF5 file: by libhdf5 in this process
  /// (`HDF5File`), or by a reader, a process of its own that a damaged file can take down
  /// (`HDF5ReadFile`).
  ///
  /// It may be used by any number of threads at a time.
  protocol HDF5Access: Sendable {
    /// Lists the file.
    ///
    /// - Throws: `ArchiveError` where the file is damaged, or holds links, named types, or more
    ///   than a fixture could.
    func contents() throws(ArchiveError) -> HDF5Contents

    /// The header of a dataset, and in which pieces it is best read.
    ///
    /// - Throws: `ArchiveError` where it is of a kind that is not read, or damaged.
    func layout(of name: String) throws(ArchiveError) -> HDF5Layout

    /// Reads the elements of a range, counted in row-major order.
    ///
    /// - Parameters:
    ///   - layout: of the dataset.
    ///   - buffer: exactly as large as the elements.
    /// - Throws: `ArchiveError` where the dataset is damaged.
    func read(
      _ range: Range<Int>, of name: String, _ layout: HDF5Layout,
      into buffer: UnsafeMutableRawBufferPointer
    ) throws(ArchiveError)
  }

  /// What an HDF5 file holds.
  struct HDF5Contents: Codable {
    /// The paths of all datasets, sorted.
    let datasets: [String]
    /// The attribute `manifest` of the root; nil where there is none.
    let manifest: String?
    /// The attribute `model_config` of the root, in which Keras describes a model; nil where there
    /// is none that can be read.
    let modelConfiguration: String?
  }

  /// What is known of a dataset before it is read.
  struct HDF5Layout: Codable {
    let elementType: String
    let axes: [Int]
    /// As `TensorSource.grain`.
    let grain: Int

    init(_ header: TensorHeader, grain: Int) {
      elementType = header.elementType.rawValue
      axes = header.shape.axes
      self.grain = grain
    }

    /// nil where a reader has answered what none can.
    var header: TensorHeader? {
      guard let type = ElementType(rawValue: elementType), let shape = Shape(checking: axes),
        grain > 0
      else { return nil }
      return TensorHeader(type, shape)
    }
  }
#endif
