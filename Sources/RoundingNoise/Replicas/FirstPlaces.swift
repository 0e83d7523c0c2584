extension Sequence where Element: Hashable {
  /// For each element, the place of the first one that is equal to it: 0, 1, 0 of "aba". O(n)
  var firstPlaces: [Int] {
    var first: [Element: Int] = [:]
    return enumerated().map { place, element in
      if let twin = first[element] { return twin }
      first[element] = place
      return place
    }
  }
}
