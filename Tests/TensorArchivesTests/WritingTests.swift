import Foundation
import TensorCore
import TestSupport
import Testing

@testable import TensorArchives

/// What is written is what our own readers read back, for every format and type.
@Suite struct WritingTests {
  private static let values: [Double] = [0, -0.0, 1.5, -2, 448, .infinity, -.infinity, 0.0625]

  /// Of one element type: a matrix, a vector, a scalar, and tensors without elements.
  private static func tensors(_ type: ElementType) -> [String: Tensor] {
    func tensor(_ shape: Shape) -> Tensor {
      let values = (0..<shape.elementCount).map { Self.values[$0 % Self.values.count] }
      let integers = values.map { $0.isFinite ? Int32($0) : .min }
      return switch type {
      case .int32: Tensor(integers, shape: shape)
      case .int64: Tensor(integers.map { Int64($0) << 30 }, shape: shape)
      default: Tensor(values, shape: shape).rounded(to: type)
      }
    }
    return [
      "state_dict/weight": tensor([2, 4]), "state_dict/deep/er": tensor([2, 3, 1500]),
      "vector": tensor([7]), "scalar": tensor([]), "none": tensor([0, 3]), "größe": tensor([1]),
    ]
  }

  private static func bits(_ tensor: Tensor?) -> [UInt8]? {
    tensor?.withUnsafeBytes { Array($0) }
  }

  private static func error(_ body: () throws(ArchiveError) -> Void) -> ArchiveError? {
    do throws(ArchiveError) {
      try body()
      return nil
    } catch {
      return error
    }
  }

  static let containers: [String] = {
    var containers = ["a.npz", "a.safetensors", "folder"]
    #if HDF5
      containers += ["a.h5", "a.hdf5"]
    #endif
    return containers
  }()

  @Test(arguments: containers, ElementType.allCases)
  func whatIsWrittenIsReadBack(container: String, type: ElementType) throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/" + container
    let tensors = Self.tensors(type)
    let manifest = #"{"text": "größe"}"#
    func write() throws(ArchiveError) {
      try TensorContainer.write(tensors, manifest: manifest, to: path)
    }
    let isNumPys = [.npz, nil].contains(TensorContainer(path: path))
    guard type != .bfloat16 || !isNumPys else {
      let error = try #require(Self.error(write))
      #expect("\(error)".contains(": element type: expected float16, float32, float64, int32, "))
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
      return
    }
    try write()
    let archive = try TensorContainer.open(path)
    #expect(archive.tensorNames == tensors.keys.sorted())
    #expect(try archive.manifest() == manifest)
    for (name, tensor) in tensors {
      let read = try archive.tensor(named: name)
      #expect(read.elementType == type && read.shape == tensor.shape, "\(name)")
      #expect(Self.bits(read) == Self.bits(tensor), "\(name)")
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [container])
  }

  @Test(arguments: containers)
  func theSameTensorsGiveTheSameBytes(container: String) throws {
    let folder = try TemporaryFolder()
    func write() throws -> [[UInt8]] {
      let path = folder.path + "/" + container
      try TensorContainer.write(Self.tensors(.float32), manifest: "{}", to: path)
      guard container == "folder" else { return [try bytes(of: path)] }
      return try FileManager.default.subpathsOfDirectory(atPath: path).sorted()
        .filter { $0.contains(".") }.map { try bytes(of: path + "/" + $0) }
    }
    let first = try write()
    // A time to the second would show.
    Thread.sleep(forTimeInterval: 1.1)
    #expect(try write() == first)
  }

  @Test(arguments: ElementType.allCases)
  func oneTensorIsReadBack(type: ElementType) throws {
    guard type != .bfloat16 else { return }
    let folder = try TemporaryFolder()
    let path = folder.path + "/a.npy"
    for tensor in Self.tensors(type).values {
      try TensorContainer.write(["any": tensor], to: path)
      let read = try TensorContainer.open(path).tensor(named: "")
      #expect(read.elementType == type && read.shape == tensor.shape)
      #expect(Self.bits(read) == Self.bits(tensor))
    }
  }

  @Test(arguments: ["float16", "float32", "float64", "int32", "int64", "scalar", "empty"])
  func theBytesAreNumPys(name: String) throws {
    let whole = try bytes(of: Sample.path(name + ".npy"))
    let tensor = try NPY.decode(Data(whole))
    var written: [UInt8] = []
    try NPY.contents(of: tensor, path: name, member: nil).forEachPiece { written += $0 }
    #expect(written == whole)
  }

  /// As beyond 4 GiB, and readable by whoever reads zip64.
  @Test func largeMembersAreZIP64() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/a.npz"
    let tensors = Self.tensors(.float32)
    var file = try ZIPWriter(path: path, smallestLarge: 50)
    for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
      let contents = try NPY.contents(of: tensor, path: path, member: name)
      try file.add(contents, named: name + ".npy")
    }
    try file.finish()
    let read = try Sample.readAll(path)
    #expect(read.mapValues { Self.bits($0) } == tensors.mapValues { Self.bits($0) })
    // Each number is in zip64's field alone: that of the other is full.
    let whole = try bytes(of: path)
    let central: [UInt8] = [0x50, 0x4B, 1, 2]
    let entries = whole.indices.filter { whole[$0...].starts(with: central) }
    #expect(entries.count == tensors.count)
    for entry in entries.dropFirst() {
      #expect(whole[(entry + 42)...].starts(with: [0xFF, 0xFF, 0xFF, 0xFF]))
    }
    let locator: [UInt8] = [0x50, 0x4B, 6, 7]
    #expect(try bytes(of: path).dropLast(22).suffix(20).starts(with: locator))
  }

  @Test(arguments: [
    "../x", "a/../x", "/x", "a//x", "a/", "", ".", ".x", "a/.x", "a\u{0}b", "a\nb",
    "a/b/c/d/e/f/g/h/i",
  ])
  func namesThatLeadAstrayAreRefused(name: String) throws {
    let folder = try TemporaryFolder()
    for container in Self.containers {
      let error = Self.error { () throws(ArchiveError) in
        try TensorContainer.write(
          [name: Tensor([Float(1)], shape: [])], to: folder.path + "/" + container)
      }
      #expect(error?.member == name)
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
  }

  @Test(arguments: containers)
  func aPathThatCannotBeWrittenIsAnError(container: String) throws {
    let folder = try TemporaryFolder()
    // A file stands where a folder should.
    let path = try folder.write("x", to: "file") + "/" + container
    let error = Self.error { () throws(ArchiveError) in
      try TensorContainer.write(["a": Tensor([Float(1)], shape: [])], to: path)
    }
    #expect(error?.path == path)
    guard case .unwritable = error?.reason else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func aSingleTensorsFileHoldsNothingElse() throws {
    let folder = try TemporaryFolder()
    let tensor = Tensor([Float(1)], shape: [])
    for (tensors, manifest) in [
      (["a": tensor, "b": tensor], nil), ([:], nil), (["a": tensor], "{}"),
    ]
      as [([String: Tensor], String?)]
    {
      let error = Self.error { () throws(ArchiveError) in
        try TensorContainer.write(tensors, manifest: manifest, to: folder.path + "/a.npy")
      }
      #expect("\(try #require(error))".contains("expected one tensor and no manifest, found "))
    }
    let unknown = Self.error { () throws(ArchiveError) in
      try TensorContainer.write(["a": tensor], to: folder.path + "/a.txt")
    }
    #expect("\(try #require(unknown))".hasSuffix("found another name"))
    let compressed = Self.error { () throws(ArchiveError) in
      try TensorContainer.write(["a": tensor], to: folder.path + "/a.npy.gz")
    }
    #expect("\(try #require(compressed))".hasSuffix("expected .npy, found .npy.gz"))
  }

  /// A folder that held another tensor would hold it still.
  @Test func aFoldersOtherTensorsAreNotMixedIn() throws {
    let folder = try TemporaryFolder()
    let tensor = Tensor([Float(1)], shape: [])
    try TensorContainer.write(["a": tensor, "in/b": tensor], to: folder.path + "/x")
    try folder.write("for people", to: "x/README.md")
    try TensorContainer.write(["a": tensor, "in/b": tensor], to: folder.path + "/x/")
    let error = Self.error { () throws(ArchiveError) in
      try TensorContainer.write(["a": tensor], to: folder.path + "/x")
    }
    #expect(error?.member == "in/b.npy")
  }

  #if HDF5
    @Test func aTensorNamedLikeAGroupIsAnError() throws {
      let folder = try TemporaryFolder()
      let tensor = Tensor([Float(1)], shape: [])
      let error = Self.error { () throws(ArchiveError) in
        try TensorContainer.write(["a": tensor, "a/b": tensor], to: folder.path + "/x.h5")
      }
      #expect("\(try #require(error))".hasSuffix("name: expected a to be a group, found a tensor"))
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }
  #endif
}
