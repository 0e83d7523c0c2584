/// The C library and Foundation, by whatever names a platform has them, so that the files which
/// call them need not tell the platforms apart.
///
/// On Linux this is the part of Foundation that knows no languages: a program that links it
/// starts sooner than one with all of Foundation.
#if canImport(FoundationEssentials)
  @_exported public import FoundationEssentials
#else
  @_exported public import Foundation
#endif

#if canImport(Darwin)
  @_exported public import Darwin
#elseif canImport(Glibc)
  @_exported public import Glibc
#elseif canImport(Musl)
  @_exported public import Musl
#endif
