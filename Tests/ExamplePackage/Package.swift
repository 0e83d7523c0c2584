// swift-tools-version: 6.2
import PackageDescription

// A package of somebody else's, whose LSTM is tested against PyTorch's references.

// Without HDF5 no libhdf5 is needed; .h5 fixtures then fail with a clear error.
let traits: Set<Package.Dependency.Trait> =
  Context.environment["PARITY_HDF5"] == "0" ? [] : [.defaults]

let package = Package(
  name: "BiLSTM",
  platforms: [.macOS(.v15)],
  products: [.library(name: "BiLSTM", targets: ["BiLSTM"])],
  dependencies: [
    // Elsewhere: .package(url: "…", from: "…", traits: traits)
    .package(name: "parity-check", path: "../..", traits: traits)
  ],
  targets: [
    .target(name: "BiLSTM"),
    .testTarget(
      name: "BiLSTMTests",
      dependencies: ["BiLSTM", .product(name: "ParityTesting", package: "parity-check")]),
  ]
)
