#if HDF5
  import CHDF5
  import TensorCore

  /// The types of elements as libhdf5 describes them.
  enum HDF5Type {
    /// A type in little-endian byte order, which every machine that Swift runs on has; nil
    /// where libhdf5 can't make it.
    static func littleEndian(_ type: ElementType) -> HDF5Handle? {
      let standard =
        switch type {
        case .float16, .bfloat16, .float32: parity_H5T_IEEE_F32LE()
        case .float64: parity_H5T_IEEE_F64LE()
        case .int32: parity_H5T_STD_I32LE()
        case .int64: parity_H5T_STD_I64LE()
        }
      guard let copy = HDF5Handle(H5Tcopy(standard)) else { return nil }
      // HDF5 knows no 16-bit floats by name, only by the sizes of their parts.
      let (exponent, fraction, bias) = type == .float16 ? (5, 10, 15) : (8, 7, 127)
      guard type == .float16 || type == .bfloat16 else { return copy }
      guard H5Tset_fields(copy.id, 15, fraction, exponent, 0, fraction) >= 0,
        H5Tset_size(copy.id, 2) >= 0, H5Tset_ebias(copy.id, bias) >= 0
      else { return nil }
      return copy
    }
  }
#endif
