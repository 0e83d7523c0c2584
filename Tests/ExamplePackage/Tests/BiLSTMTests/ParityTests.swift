import ParityTesting
import Testing

/// With Swift Testing: a test for each case, by its name.
@Test(
  arguments: try Fixture.all(
    in: BiLSTMImplementation.fixtures, where: BiLSTMImplementation.supports))
func computesWhatPyTorchComputes(fixture: Fixture) throws {
  try fixture.verify(BiLSTMImplementation.self)
}
