import ParityTesting
import XCTest

/// The same with XCTest.
final class ParityXCTests: XCTestCase {
  func testComputesWhatPyTorchComputes() throws {
    let fixtures = try Fixture.all(
      in: BiLSTMImplementation.fixtures, where: BiLSTMImplementation.supports)
    for fixture in fixtures {
      XCTAssertNoThrow(try fixture.verify(BiLSTMImplementation.self), fixture.name)
    }
  }
}
