#if HDF5
  import Platform
  import TensorCore
  import TestSupport
  import Testing

  @testable import TensorArchives

  /// Models in Keras' format `.keras`: a ZIP file with an HDF5 file in it.
  @Suite struct KerasArchiveTests {
    private let folder: TemporaryFolder
    private let weights: Data

    init() throws {
      folder = try TemporaryFolder()
      try TensorContainer.write(
        ["layers/lstm/cell/vars/0": Tensor(Sample.eighths.map(Float.init), shape: Sample.shape)],
        to: folder.path + "/weights.h5")
      weights = Data(try bytes(of: folder.path + "/weights.h5"))
    }

    private func write(_ members: KeyValuePairs<String, Data>) throws -> String {
      let path = folder.path + "/m.keras"
      var file = try ZIPWriter(path: path)
      for (name, data) in members { try file.add(MemberContents(data), named: name) }
      try file.finish()
      return path
    }

    @Test func theWeightsAreReadWhereTheyStand() throws {
      let path = try write(["config.json": Data("{}".utf8), "model.weights.h5": weights])
      let archive = try TensorContainer.open(path)
      #expect(archive.tensorNames == ["layers/lstm/cell/vars/0"])
      #expect(archive.modelConfiguration == "{}")
      let name = "layers/lstm/cell/vars/0"
      #expect(try archive.header(of: name) == TensorHeader(.float32, Sample.shape))
      #expect(try archive.tensor(named: name).elements(as: Double.self) == Sample.eighths)
      #expect(try archive.source(of: name).block(3..<5).elements(as: Double.self) == [0.375, 0.5])
      // Two at a time, of the same path.
      #expect(try TensorContainer.open(path).tensorNames == archive.tensorNames)
      #expect(try FileBytes.names(in: folder.path) == ["m.keras", "weights.h5"])
    }

    @Test func whatIsNoSuchModelIsNamed() throws {
      let without = try write(["config.json": Data("{}".utf8)])
      #expect(
        Sample.error(without)?.reason
          == .wrongFormat(
            expected: "a model of Keras 3, a ZIP file with model.weights.h5",
            found: "one without it"))
      let cut = try write(["model.weights.h5": weights.prefix(1000)])
      #expect(
        Sample.error(cut)?.reason
          == .corrupt("HDF5 file", expected: "a whole one", found: "a damaged or cut off one"))
    }

    /// One bit of the weights is another: the ZIP file's checksum tells, before libhdf5 is asked.
    @Test func aWrongChecksumIsNamed() throws {
      let path = try write(["model.weights.h5": weights])
      var damaged = try bytes(of: path)
      damaged[600] ^= 1
      try folder.write(damaged, to: "m.keras")
      let error = try #require(Sample.error(path))
      #expect(error.member == "model.weights.h5")
      #expect("\(error)".contains("CRC-32"))
    }
  }
#endif
