#if HDF5
  import CHDF5
  import TensorCore

  /// One open dataset of an HDF5 file. It is used inside of `HDF5File.withID` alone, while no
  /// other thread calls libhdf5.
  struct HDF5Dataset: ~Copyable {
    private let dataset: HDF5Handle
    private let fileSize: Int

    /// The largest piece in bytes that libhdf5 may unpack, in a process whose memory is limited.
    /// Set by the reader alone, between two questions.
    nonisolated(unsafe) static var largestChunk = Int.max

    /// - Parameters:
    ///   - file: the identifier of the open file.
    ///   - fileSize: its size in bytes; no dataset stores more.
    /// - Throws: `ArchiveError.Reason` where libhdf5 can't open the dataset.
    init(named name: String, in file: hid_t, fileSize: Int) throws(ArchiveError.Reason) {
      dataset = try HDF5Handle(of: H5Dopen2(file, name, parity_H5P_DEFAULT()))
      self.fileSize = fileSize
    }

    /// The element type and the shape.
    ///
    /// - Throws: `ArchiveError.Reason` where they are of a kind that is not read, and where the file
    ///   stores fewer bytes than they need.
    func header() throws(ArchiveError.Reason) -> TensorHeader {
      let header = TensorHeader(try elementType(), try shape())
      try checkStorage(of: header.shape, header.elementType)
      return header
    }

    /// Reads one box of a dataset whose header was asked for before. libhdf5 converts the
    /// elements from the file's byte order.
    ///
    /// - Parameter buffer: exactly as large as the elements in the box.
    /// - Throws: `ArchiveError.Reason` where the dataset is damaged.
    func read(
      _ box: RowMajorBox, of type: ElementType, into buffer: UnsafeMutableRawBufferPointer
    ) throws(ArchiveError.Reason) {
      guard let memoryType = HDF5Type.littleEndian(type) else { throw .damagedObject }
      let space = try HDF5Handle(of: H5Dget_space(dataset.id))
      let count = [hsize_t(buffer.count / type.byteCount)]
      let memory = try HDF5Handle(of: H5Screate_simple(1, count, nil))
      let (start, sizes) = (box.start.map { hsize_t($0) }, box.sizes.map { hsize_t($0) })
      guard
        sizes.isEmpty
          || H5Sselect_hyperslab(space.id, H5S_SELECT_SET, start, nil, sizes, nil) >= 0,
        H5Dread(
          dataset.id, memoryType.id, memory.id, space.id, parity_H5P_DEFAULT(),
          buffer.baseAddress) >= 0
      else {
        let place = box.offset == 0 ? "" : " from \(Shape.text(box.start))"
        throw .corrupt(
          "data", expected: "\(Shape(box.sizes)) of \(type)\(place)", found: "damage")
      }
    }

    /// The number of elements of a row of chunks along the first axis, so that a range of
    /// whole rows unpacks each chunk once; 1 where the dataset is not stored in chunks.
    func grain(_ shape: Shape) throws(ArchiveError.Reason) -> Int {
      let creation = try HDF5Handle(of: H5Dget_create_plist(dataset.id))
      guard shape.elementCount > 0, H5Pget_layout(creation.id) == H5D_CHUNKED else { return 1 }
      return Int(clamping: try chunkSizes(creation.id, shape)[0])
        * (shape.elementCount / shape.axes[0])
    }

    /// The sizes of a chunk along every axis, in elements.
    private func chunkSizes(_ creation: hid_t, _ shape: Shape) throws(ArchiveError.Reason)
      -> [hsize_t]
    {
      var sizes = [hsize_t](repeating: 1, count: shape.rank)
      guard
        H5Pget_chunk(creation, CInt(shape.rank), &sizes) == shape.rank,
        sizes.allSatisfy({ $0 > 0 })
      else { throw .damagedObject }
      return sizes
    }

    /// - Throws: `ArchiveError.Reason` for an element type that is none of `ElementType`'s.
    private func elementType() throws(ArchiveError.Reason) -> ElementType {
      let type = try HDF5Handle(of: H5Dget_type(dataset.id))
      let size = H5Tget_size(type.id)
      let found: String
      switch (H5Tget_class(type.id), size) {
      case (H5T_FLOAT, 2):
        if let half = halfType(type.id) { return half }
        found = "another float of 2 bytes"
      case (H5T_FLOAT, 4): return .float32
      case (H5T_FLOAT, 8): return .float64
      case (H5T_INTEGER, 4) where H5Tget_sign(type.id) == H5T_SGN_2: return .int32
      case (H5T_INTEGER, 8) where H5Tget_sign(type.id) == H5T_SGN_2: return .int64
      case (H5T_FLOAT, _): found = "a float of \(size) bytes"
      case (H5T_INTEGER, _):
        let sign = H5Tget_sign(type.id) == H5T_SGN_2 ? "a signed" : "an unsigned"
        found = "\(sign) integer of \(size) bytes"
      case (H5T_STRING, _): found = "text"
      case (H5T_COMPOUND, _): found = "a compound type"
      default: found = "another type"
      }
      let known = ElementType.allCases.map(\.rawValue).joined(separator: ", ")
      throw .unsupported("element type", expected: known, found: found)
    }

    /// Which float of 16 bits a type is, by the sizes of its exponent and its fraction; nil
    /// where it is none that is known.
    private func halfType(_ type: hid_t) -> ElementType? {
      var (sign, exponent, exponentSize, fraction, fractionSize) = (0, 0, 0, 0, 0)
      guard
        H5Tget_fields(type, &sign, &exponent, &exponentSize, &fraction, &fractionSize) >= 0,
        sign == 15, exponent == fractionSize, fraction == 0
      else { return nil }
      return switch (exponentSize, fractionSize, H5Tget_ebias(type)) {
      case (5, 10, 15): .float16
      case (8, 7, 127): .bfloat16
      default: nil
      }
    }

    /// - Throws: `ArchiveError.Reason` where the number of elements does not fit 63 bits.
    private func shape() throws(ArchiveError.Reason) -> Shape {
      let space = try HDF5Handle(of: H5Dget_space(dataset.id))
      // What h5py calls Empty: no elements, and no axes either.
      if H5Sget_simple_extent_type(space.id) == H5S_NULL { return [0] }
      let rank = Int(H5Sget_simple_extent_ndims(space.id))
      guard rank >= 0 else { throw .damagedObject }
      var sizes = [hsize_t](repeating: 0, count: rank)
      H5Sget_simple_extent_dims(space.id, &sizes, nil)
      guard let shape = Shape(checking: sizes.map { Int(clamping: $0) }) else {
        throw .corrupt("shape", expected: "sizes whose product fits 63 bits", found: "\(sizes)")
      }
      return shape
    }

    /// Compares the size that the header states with the bytes that the file stores, before
    /// anything is allocated.
    private func checkStorage(of shape: Shape, _ type: ElementType) throws(ArchiveError.Reason) {
      let creation = try HDF5Handle(of: H5Dget_create_plist(dataset.id))
      let layout = H5Pget_layout(creation.id)
      guard layout == H5D_COMPACT || layout == H5D_CONTIGUOUS || layout == H5D_CHUNKED else {
        throw .unsupported("storage", expected: "compact, contiguous or chunked", found: "virtual")
      }
      guard H5Pget_external_count(creation.id) == 0 else {
        throw .unsupported("storage", expected: "in this file", found: "in other files")
      }
      let stored = Int(clamping: H5Dget_storage_size(dataset.id))
      guard stored <= fileSize else {
        throw .corrupt(
          "data of \(type) \(shape)", expected: "at most \(fileSize) bytes, as the file has",
          found: "\(stored)")
      }
      let filters = H5Pget_nfilters(creation.id)
      try checkFilters(creation.id, filters)
      let largest = filters > 0 ? Inflate.largestOutput(of: stored) : stored
      let (declared, overflow) = shape.elementCount.multipliedReportingOverflow(
        by: type.byteCount)
      guard !overflow, declared <= largest else {
        throw .corrupt(
          "data of \(type) \(shape)",
          expected: overflow ? "more than 2^63 bytes" : "\(declared) bytes",
          found: "\(stored) bytes in the file")
      }
      if layout == H5D_CHUNKED { try checkChunks(creation.id, shape, type) }
    }

    /// Refuses filters (such as compression) that this build of libhdf5 can't undo.
    private func checkFilters(_ creation: hid_t, _ count: CInt) throws(ArchiveError.Reason) {
      for position in 0..<max(0, count) {
        var name = [CChar](repeating: 0, count: 32)
        let filter = H5Pget_filter2(
          creation, UInt32(position), nil, nil, nil, name.count, &name, nil)
        guard filter >= 0, H5Zfilter_avail(filter) > 0 else {
          // The last byte is no part of the name, however long that is.
          let bytes = name.dropLast().prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
          throw .unsupported(
            "filter", expected: "one that this libhdf5 has",
            found: """
              number \(filter), \(String(decoding: bytes, as: UTF8.self)); save it again with \
              gzip or uncompressed (h5py: compression="gzip" or none)
              """)
        }
      }
    }

    /// Refuses LZF's filter where it states another size of the chunks than the dataset.
    private func checkLZF(_ creation: hid_t, chunk: Int) throws(ArchiveError.Reason) {
      var (count, parameters) = (3, [UInt32](repeating: 0, count: 3))
      guard
        H5Pget_filter_by_id2(creation, LZF.number, nil, &count, &parameters, 0, nil, nil) >= 0
      else { return }
      guard count >= 3, Int(parameters[2]) == chunk else {
        throw .corrupt("size of a chunk for lzf", expected: "\(chunk)", found: "\(parameters[2])")
      }
    }

    /// Refuses a dataset of which a chunk was never written: it would read as zeros, or
    /// what else the file names.
    private func checkChunks(
      _ creation: hid_t, _ shape: Shape, _ type: ElementType
    ) throws(ArchiveError.Reason) {
      guard shape.elementCount > 0 else { return }
      let sizes = try chunkSizes(creation, shape)
      var found: hsize_t = 0
      let space = try HDF5Handle(of: H5Dget_space(dataset.id))
      guard H5Dget_num_chunks(dataset.id, space.id, &found) >= 0 else { throw .damagedObject }
      let expected = zip(shape.axes, sizes).reduce(hsize_t(1)) { product, axis in
        // No larger than the number of elements, which fits.
        product * ((hsize_t(axis.0) - 1) / axis.1 + 1)
      }
      guard found == expected else {
        throw .corrupt("chunks", expected: "\(expected)", found: "\(found)")
      }
      let (size, overflow) = sizes.reduce((type.byteCount, false)) { product, axis in
        let next = product.0.multipliedReportingOverflow(by: Int(clamping: axis))
        return (next.partialValue, product.1 || next.overflow)
      }
      guard !overflow, size <= Self.largestChunk else {
        throw .unsupported(
          "chunk",
          expected: "at most \(Self.largestChunk >> 20) MB, or twice its size in "
            + MemoryLimit.variable,
          found: overflow ? "more than 2^63 bytes" : "\(size >> 20) MB")
      }
      try checkLZF(creation, chunk: size)
    }
  }
#endif
