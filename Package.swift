// swift-tools-version: 6.2
import PackageDescription

// Warnings are errors where CI says it is CI; a newer compiler's new warning
// must not keep anyone from building at home.
let warnings: [SwiftSetting] =
  Context.environment["CI"] == nil ? [] : [.treatAllWarnings(as: .error)]

let strict: [SwiftSetting] =
  warnings + [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
  ]

/// A room of the package: what it may import is all that it depends on.
func room(_ name: String, imports dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(of room: String, imports dependencies: [Target.Dependency] = []) -> Target {
  .testTarget(
    name: room + "Tests",
    dependencies: [.byName(name: room), "Platform", "TestSupport"] + dependencies,
    exclude: ["TensorArchives": ["Samples"], "ParityCheck": ["Reports"]][room] ?? [],
    // What is tested is optimised, and the tests themselves need not be: they build sooner.
    swiftSettings: strict + [.unsafeFlags(["-Onone"])])
}

let systemPackage = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let realModule = Target.Dependency.product(name: "RealModule", package: "swift-numerics")

let package = Package(
  name: "parity-check",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "parity-check", targets: ["ParityCheck"]),
    .library(name: "ParityTesting", targets: ["ParityTesting"]),
  ],
  traits: [
    .trait(name: "HDF5", description: "Read and write .h5 files; needs libhdf5."),
    .default(enabledTraits: ["HDF5"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-numerics", from: "1.1.1"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
  ],
  targets: [
    .systemLibrary(
      name: "CHDF5", pkgConfig: "hdf5",
      providers: [.apt(["libhdf5-dev", "pkg-config"]), .brew(["hdf5", "pkg-config"])]),
    .systemLibrary(
      name: "CZlib", pkgConfig: "zlib",
      providers: [.apt(["zlib1g-dev", "pkg-config"]), .brew(["zlib", "pkg-config"])]),

    room("Platform"),
    room("JSON"),
    room("TensorCore", imports: ["Platform"]),
    room(
      "TensorArchives",
      imports: [
        "Platform", "JSON", "TensorCore", "CZlib", systemPackage,
        .target(name: "CHDF5", condition: .when(traits: ["HDF5"])),
      ]),
    room("TensorComparison", imports: ["TensorCore", realModule]),
    room(
      "ArchiveComparison",
      imports: ["Platform", "TensorCore", "TensorArchives", "TensorComparison"]),
    room("RecurrentModel", imports: ["TensorCore", realModule]),
    .target(name: "RecurrentKernels"),
    room(
      "RecurrentEngine", imports: ["Platform", "TensorCore", "RecurrentModel", "RecurrentKernels"]),
    room(
      "RecurrentBenchmark",
      imports: ["TensorCore", "RecurrentModel", "RecurrentEngine", "RecurrentKernels"]),
    room(
      "RoundingNoise",
      imports: [
        "TensorCore", "TensorComparison", "RecurrentModel", "RecurrentKernels", "RecurrentEngine",
        realModule,
      ]),
    room(
      "ParityFixtures",
      imports: [
        "Platform", "JSON", "TensorCore", "TensorArchives", "TensorComparison", "RecurrentModel",
      ]),
    room(
      "ParityJudging",
      imports: [
        "Platform", "TensorCore", "TensorArchives", "TensorComparison", "ArchiveComparison",
        "RecurrentModel", "RecurrentEngine", "RoundingNoise", "ParityFixtures", realModule,
      ]),
    room(
      "ParityDiagnosis",
      imports: [
        "TensorCore", "TensorComparison", "RecurrentModel", "RoundingNoise", "ParityFixtures",
        "ParityJudging", realModule,
      ]),
    room(
      "ParityTracing",
      imports: [
        "TensorCore", "TensorArchives", "TensorComparison", "ArchiveComparison", "RecurrentModel",
        "RoundingNoise", "ParityFixtures", "ParityJudging", "ParityDiagnosis",
      ]),
    room(
      "ParityReports",
      imports: [
        "JSON", "Platform", "TensorCore", "TensorArchives", "TensorComparison", "ArchiveComparison",
        "RecurrentModel", "ParityFixtures", "ParityJudging", "ParityDiagnosis", "ParityTracing",
      ]),
    room(
      "ParityTesting",
      imports: [
        "TensorCore", "TensorArchives", "RecurrentModel", "ParityFixtures", "ParityJudging",
        "ParityDiagnosis", "ParityTracing", "ParityReports",
      ]),
    room(
      "ExternalEngine",
      imports: [
        "JSON", "Platform", "TensorCore", "TensorArchives", "TensorComparison", "RecurrentModel",
        "ParityFixtures",
        .product(name: "Subprocess", package: "swift-subprocess"), systemPackage,
      ]),
    .target(name: "CProcesses"),
    .executableTarget(
      name: "ParityCheck",
      dependencies: [
        "CProcesses", "Platform", "TensorCore", "TensorArchives", "TensorComparison",
        "ArchiveComparison",
        "RecurrentModel", "RecurrentEngine", "RecurrentBenchmark", "ParityFixtures",
        "ParityJudging",
        "ParityDiagnosis", "ParityTracing", "ParityReports", "ExternalEngine", systemPackage,
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),

    .target(
      name: "TestSupport", dependencies: ["Platform", "TensorCore", "RecurrentModel"],
      path: "Tests/TestSupport", swiftSettings: strict),
    .target(
      name: "FixtureSupport",
      dependencies: ["TensorCore", "RecurrentModel", "ParityFixtures", "TestSupport"],
      path: "Tests/FixtureSupport", swiftSettings: strict),
    tests(of: "JSON"),
    tests(of: "TensorCore"),
    tests(
      of: "TensorArchives",
      imports: ["TensorCore", .target(name: "CHDF5", condition: .when(traits: ["HDF5"]))]),
    tests(of: "TensorComparison", imports: ["TensorCore"]),
    tests(
      of: "ArchiveComparison", imports: ["TensorCore", "TensorArchives", "TensorComparison"]),
    tests(of: "RecurrentModel", imports: ["TensorCore"]),
    tests(of: "RecurrentEngine", imports: ["TensorCore", "RecurrentModel", "RecurrentKernels"]),
    tests(
      of: "ParityFixtures",
      imports: ["JSON", "TensorCore", "TensorArchives", "RecurrentModel", "TensorComparison"]),
    tests(
      of: "RoundingNoise",
      imports: [
        "TensorCore", "TensorComparison", "RecurrentModel", "RecurrentEngine", "ParityFixtures",
        "FixtureSupport",
      ]),
    tests(
      of: "ParityJudging",
      imports: [
        "TensorCore", "TensorArchives", "TensorComparison", "RecurrentModel", "RecurrentEngine",
        "RoundingNoise", "ParityFixtures", "FixtureSupport",
      ]),
    tests(
      of: "ParityDiagnosis",
      imports: [
        "TensorCore", "TensorComparison", "RecurrentModel", "RoundingNoise", "ParityFixtures",
        "ParityJudging", "FixtureSupport",
      ]),
    tests(
      of: "ParityReports",
      imports: [
        "TensorCore", "TensorComparison", "RecurrentModel", "ParityFixtures", "ParityJudging",
        "FixtureSupport",
      ]),
    tests(
      of: "ParityTracing",
      imports: [
        "TensorCore", "TensorArchives", "ArchiveComparison", "RecurrentModel", "ParityFixtures",
        "ParityJudging",
      ]),
    tests(
      of: "ParityTesting",
      imports: ["TensorCore", "RecurrentModel", "ParityFixtures", "FixtureSupport"]),
    tests(of: "ExternalEngine", imports: ["RecurrentModel"]),
    tests(
      of: "ParityCheck",
      imports: ["RecurrentEngine", "TensorCore", "TensorArchives", systemPackage]),
  ]
)

// Only where it is asked for: it links with libFuzzer alone (`tools/fuzz`).
if Context.environment["PARITY_CHECK_FUZZ"] != nil {
  package.targets.append(
    .executableTarget(
      name: "Fuzz",
      dependencies: ["Platform", "JSON", "TensorCore", "TensorArchives", "ParityFixtures"],
      path: "Tests/Fuzz", exclude: ["words.dict"],
      swiftSettings: strict + [.unsafeFlags(["-parse-as-library"])]))
}
