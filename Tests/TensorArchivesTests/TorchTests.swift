import TensorCore
import TestSupport
import Testing

@testable import TensorArchives

/// Files that `torch.save` wrote (`tools/catalogue/checkpoint_samples.py`), in both of its formats.
@Suite struct TorchTests {
  static let samples = ["zip.pt", "no-checksums.pt", "stream.pt"]
  static let viewSamples = ["views.pt", "stream-views.pt"]

  @Test(arguments: samples)
  func readsTensorsAndManifest(name: String) throws {
    let archive = try Sample.open(name)
    #expect(archive.tensorNames == ["a", "folder.b", "n"])
    #expect(try archive.tensor(named: "a").elements(as: Double.self) == Sample.eighths)
    #expect(try archive.tensor(named: "a").shape == Sample.shape)
    #expect(try archive.header(of: "folder.b") == TensorHeader(.float64, Sample.shape))
    #expect(try archive.tensor(named: "folder.b").elements(as: Double.self) == Sample.eighths)
    #expect(try archive.tensor(named: "n").integers == Sample.integers)
    #expect(try archive.manifest() == Sample.manifest)
  }

  @Test(arguments: viewSamples)
  func readsEveryType(name: String) throws {
    let archive = try Sample.open(name)
    for type in ElementType.allCases {
      let tensor = try archive.tensor(named: "types.\(type)")
      #expect(tensor.elementType == type)
      #expect(tensor.elements(as: Double.self) == Sample.integers.map { Double(abs($0)) })
    }
    for type in ["int8", "int16", "uint8"] {
      let tensor = try archive.tensor(named: "types.\(type)")
      #expect(tensor.elementType == .int32 && tensor.integers == Sample.integers.map { abs($0) })
    }
    #expect(
      try archive.tensor(named: "types.bool").integers == Sample.integers.map { abs($0) % 2 })
  }

  @Test(arguments: viewSamples)
  func readsViewsOfStorages(name: String) throws {
    let archive = try Sample.open(name)
    func numbers(_ name: String) throws -> [Double] {
      try archive.tensor(named: name).elements(as: Double.self).map { $0 * 8 }
    }
    let transposed = (0..<6).flatMap { column in (0..<4).map { Double($0 * 6 + column) } }
    let permuted = (0..<4).flatMap { k in (0..<6).map { Double($0 * 4 + k) } }
    #expect(try numbers("whole") == (0..<24).map(Double.init))
    #expect(try numbers("part") == [5, 6, 7, 8])
    #expect(try archive.tensor(named: "transposed").shape == [6, 4])
    #expect(try numbers("transposed") == transposed)
    #expect(try archive.tensor(named: "permuted").shape == [4, 2, 3])
    #expect(try numbers("permuted") == permuted)
    #expect(try numbers("steps") == stride(from: 1.0, to: 24, by: 3).map { $0 })
    #expect(try numbers("expanded") == [8, 8, 8, 16, 16, 16])
    #expect(try numbers("parameter") == [0, 1, 2])
    #expect(try numbers("scalar") == [20] && archive.tensor(named: "scalar").shape == [])
    #expect(try archive.tensor(named: "empty").shape == [0, 3])
    #expect(try numbers("list.0") + numbers("list.1.0") + numbers("7") == [8, 16, 24])
    #expect(try archive.manifest() == nil)
    #expect(archive.tensorNames.count == 23)
  }

  /// The names are those of the module's state dict, which stands beside it.
  @Test func aWholeModuleHasTheNamesOfItsStateDict() throws {
    let (module, state) = (try Sample.open("module.pt"), try Sample.open("state-dict.pt"))
    #expect(module.tensorNames == state.tensorNames)
    #expect(module.tensorNames.contains("lstm.weight_hh_l0_reverse"))
    #expect(module.tensorNames.contains("mean") && !module.tensorNames.contains("unsaved"))
    for name in module.tensorNames {
      let (own, other) = (try module.tensor(named: name), try state.tensor(named: name))
      #expect(own.shape == other.shape)
      #expect(own.elements(as: Double.self) == other.elements(as: Double.self))
    }
  }

  /// As with an `.npy` file.
  @Test func aTensorAloneHasNoName() throws {
    let archive = try Sample.open("nameless.pt")
    #expect(archive.tensorNames == [""])
    #expect(try archive.tensor(named: "").elements(as: Double.self) == Sample.eighths)
    let folder = try TemporaryFolder()
    try folder.copy(Sample.path("nameless.pt"), as: "output.pt")
    #expect(try TensorContainer.open(folder.path).tensorNames == ["output"])
  }

  @Test func otherKindsAreNamedWhenTheyAreRead() throws {
    let archive = try Sample.open("other-kinds.pt")
    #expect(try archive.tensor(named: "a").elements(as: Double.self) == Sample.eighths)
    for (name, found) in [
      ("sparse", "one that torch._utils._rebuild_sparse_tensor makes"),
      ("complex", "\"torch.ComplexFloatStorage\""),
    ] {
      let error = #expect(throws: ArchiveError.self) { try archive.tensor(named: name) }
      #expect(error?.member == name)
      #expect("\(error!)".hasSuffix("found \(found)"), "\(error!)")
    }
  }

  // MARK: - Damage

  @Test(arguments: samples + ["module.pt"])
  func everyTruncationIsAnError(name: String) throws {
    let folder = try TemporaryFolder()
    let whole = try bytes(of: Sample.path(name))
    for length in 0..<whole.count {
      let path = try folder.write(whole.prefix(length), to: "cut.pt")
      #expect(Sample.error(path) != nil, "cut to \(length) bytes")
    }
  }

  /// The checksums of a ZIP file see every change of what is read.
  @Test func noDamagedByteOfAZIPFileGivesOtherNumbers() throws {
    let folder = try TemporaryFolder()
    let whole = try bytes(of: Sample.path("zip.pt"))
    let sound = try Sample.readAll(Sample.path("zip.pt"))
    var errors = 0
    for offset in whole.indices {
      for flip in [UInt8(0x01), 0x80] {
        var damaged = whole
        damaged[offset] ^= flip
        let path = try folder.write(damaged, to: "damaged.pt")
        guard let read = try? Sample.readAll(path) else {
          errors += 1
          continue
        }
        for (name, tensor) in read {
          #expect(
            tensor.elements(as: Double.self) == sound[name]?.elements(as: Double.self),
            "byte \(offset), \(name)")
        }
      }
    }
    #expect(errors > whole.count / 4)
  }

  /// Without checksums a damaged byte is an error or gives other numbers. The older format has
  /// none.
  @Test(arguments: ["stream-views.pt", "no-checksums.pt"])
  func noDamagedByteCrashesWhereThereAreNoChecksums(_ name: String) throws {
    let folder = try TemporaryFolder()
    let whole = try bytes(of: Sample.path(name))
    var errors = 0
    for offset in whole.indices {
      for flip in [UInt8(0x01), 0x40, 0xFF] {
        var damaged = whole
        damaged[offset] ^= flip
        if Sample.error(try folder.write(damaged, to: "damaged.pt")) != nil { errors += 1 }
      }
    }
    #expect(errors > whole.count / 2)
  }

  @Test func aWrongChecksumNamesTheStorage() throws {
    let folder = try TemporaryFolder()
    var damaged = try bytes(of: Sample.path("zip.pt"))
    // 0.125, 0.25, 0.375: the start of the only storage of float32.
    let start: [UInt8] = [0, 0, 0, 0x3E, 0, 0, 0x80, 0x3E, 0, 0, 0xC0, 0x3E]
    let offset = try #require(damaged.indices.first { damaged[$0...].starts(with: start) })
    damaged[offset] ^= 1
    let archive = try TensorContainer.open(try folder.write(damaged, to: "a.pt"))
    let source = try archive.source(of: "a")
    _ = try source.block(0..<24)
    for read in [{ _ = try archive.tensor(named: "a") }, { try source.verify() }] {
      let error = #expect(throws: ArchiveError.self) { try read() }
      #expect(error?.member == "a")
      guard case .corrupt("CRC-32", _, _) = error?.reason else {
        Issue.record("\(String(describing: error))")
        return
      }
    }
    #expect(try archive.tensor(named: "n").integers == Sample.integers)
  }

  /// A part of a storage can't be verified by itself.
  @Test func aWrongChecksumIsSeenByAPartToo() throws {
    let folder = try TemporaryFolder()
    var damaged = try bytes(of: Sample.path("views.pt"))
    let start: [UInt8] = [0, 0, 0, 0x3E, 0, 0, 0x80, 0x3E, 0, 0, 0xC0, 0x3E]
    let places = damaged.indices.filter { damaged[$0...].starts(with: start) }
    for place in places { damaged[place] ^= 1 }
    let archive = try TensorContainer.open(try folder.write(damaged, to: "a.pt"))
    for name in ["part", "transposed", "whole"] {
      #expect(throws: ArchiveError.self) { try archive.tensor(named: name) }
    }
    #expect(throws: ArchiveError.self) { try archive.source(of: "part") }
  }

  @Test func whatIsNoSuchFileIsSaid() throws {
    let folder = try TemporaryFolder()
    let cases: [([UInt8], String)] = [
      (Array("GGUF model weights".utf8), "expected a file of torch.save, found \"GGUF mod\""),
      ([0x80, 4, 0x95], "expected a file of torch.save, found bytes 80 04 95"),
      ([], "the magic number is cut off: expected 14 bytes, found 0"),
      (
        try bytes(of: Sample.path("stored.npz")),
        "expected a ZIP file of torch.save, with one folder and in it data.pkl, found none"
      ),
    ]
    for (bytes, expected) in cases {
      let error = try #require(Sample.error(try folder.write(bytes, to: "a.pth")))
      #expect("\(error)" == "\(error.path): \(expected)")
    }
  }

  /// Many programs call their files so.
  @Test func anotherProgramsBINFileInAFolderIsNoCheckpoint() throws {
    let folder = try TemporaryFolder()
    try folder.copy(Sample.path("zip.pt"), as: "pytorch_model.bin")
    let other = try folder.write("numbers", to: "raw.bin")
    let archive = try TensorContainer.open(folder.path)
    #expect(archive.tensorNames == ["a", "folder.b", "n"])
    #expect(archive.otherFiles == [other])
    #expect("\(try #require(Sample.error(other)))".hasSuffix("found \"numbers\""))
  }

  @Test func itIsNotWritten() throws {
    let folder = try TemporaryFolder()
    let error = #expect(throws: ArchiveError.self) {
      try TensorContainer.write(["a": Tensor([Float(1)], shape: [])], to: folder.path + "/a.pt")
    }
    #expect(
      "\(error!)".hasSuffix(
        "expected .npz, .h5 or .safetensors, found a format that is only read"))
  }
}
