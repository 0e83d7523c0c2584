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

extension [ArraySlice<Double>] {
  /// The same of rows of a matrix. Only the beginning of each is hashed, since hashing takes
  /// longer than comparing. O(elements), unless many rows begin alike.
  var firstPlaces: [Int] {
    var first: [ArraySlice<Double>: [Int]] = [:]
    return enumerated().map { place, row in
      let alike = first[row.prefix(8)] ?? []
      if let twin = alike.first(where: { self[$0] == row }) { return twin }
      first[row.prefix(8), default: []].append(place)
      return place
    }
  }
}
