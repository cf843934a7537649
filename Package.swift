// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "aktify",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "aktify", targets: ["aktify"])],
    traits: [.trait(name: "JWT", description: "AUTH=jwt: tokens of an identity provider")],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.2.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.4.0", traits: []),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.4"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    ],
    targets: [
        .systemLibrary(name: "CFastCGI", pkgConfig: "fcgi", providers: [.apt(["libfcgi-dev"])]),
        .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CLinux"),
        .target(
            name: "EventLoop",
            dependencies: [
                "CLinux",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "HeapModule", package: "swift-collections"),
            ]),
        .target(name: "Scoreboard", dependencies: ["CLinux"]),
        .target(
            name: "Web",
            dependencies: [
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        .target(
            name: "FastCGI",
            dependencies: [
                "CFastCGI", "CLinux", "EventLoop", "Scoreboard", "Web",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        .target(
            name: "Supervisor",
            dependencies: [
                "CLinux", "EventLoop", "Scoreboard", .product(name: "Logging", package: "swift-log"),
            ]),
        .target(name: "SQL"),
        .target(
            name: "Postgres",
            dependencies: [
                "CLibPQ", "EventLoop", "SQL", "Scoreboard",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        .target(
            name: "ORM",
            dependencies: [
                "EventLoop", "SQL", "Postgres", "Scoreboard", .product(name: "Logging", package: "swift-log"),
            ]),
        .target(name: "Migrations", dependencies: ["EventLoop", "SQL", "Postgres"]),
        .target(
            name: "Resources",
            dependencies: ["Web", "SQL", "ORM", .product(name: "HTTPTypes", package: "swift-http-types")]),
        .target(
            name: "Authentication",
            dependencies: [
                "EventLoop", "Web", "SQL", "ORM", .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        .target(
            name: "JWTAuthentication",
            dependencies: [
                "Authentication", "CLinux", "EventLoop", "Supervisor", "Web",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "JWTKit", package: "jwt-kit", condition: .when(traits: ["JWT"])),
                .product(name: "Logging", package: "swift-log"),
            ]),
        .target(
            name: "AktifyAPI",
            dependencies: [
                "Authentication", .target(name: "JWTAuthentication", condition: .when(traits: ["JWT"])), "Web", "SQL",
                "ORM",
                "Resources",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        .executableTarget(
            name: "aktify",
            dependencies: [
                "AktifyAPI", "Authentication", "CLinux", "EventLoop", "FastCGI", "Migrations", "ORM", "SQL",
                "Scoreboard",
                "Supervisor", "Web",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        .executableTarget(
            name: "bench-micro",
            dependencies: [
                "AktifyAPI", "EventLoop", "ORM", "Postgres", "SQL", "Web",
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            path: "Benchmarks/Micro"),
        .target(
            name: "TestSupport",
            dependencies: [
                "EventLoop", "Postgres", "SQL", "Web", .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            path: "Tests/Support"),
        .executableTarget(
            name: "faults",
            dependencies: ["TestSupport", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            path: "Tests/Faults"),
        .testTarget(name: "EventLoopTests", dependencies: ["EventLoop"]),
        .testTarget(
            name: "WebTests",
            dependencies: ["TestSupport", "Web", .product(name: "HTTPTypes", package: "swift-http-types")]),
        .testTarget(
            name: "FastCGITests",
            dependencies: [
                "EventLoop", "FastCGI", "Scoreboard", "TestSupport", "Web",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        .testTarget(name: "ScoreboardTests", dependencies: ["CLinux", "Scoreboard"]),
        .testTarget(name: "SupervisorTests", dependencies: ["EventLoop", "Supervisor", "TestSupport"]),
        .testTarget(name: "SQLTests", dependencies: ["SQL", "Postgres"]),
        .testTarget(name: "PostgresTests", dependencies: ["EventLoop", "Postgres", "TestSupport"]),
        .testTarget(name: "MigrationsTests", dependencies: ["Migrations"]),
        .testTarget(
            name: "ResourcesTests",
            dependencies: [
                "ORM", "Resources", "SQL", "TestSupport", "Web",
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ]),
        .testTarget(
            name: "AuthenticationTests",
            dependencies: [
                "Authentication", "EventLoop", "TestSupport", "Web",
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ]),
        .testTarget(
            name: "JWTAuthenticationTests",
            dependencies: [
                "Authentication", "EventLoop", "JWTAuthentication", "TestSupport", "Web",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "JWTKit", package: "jwt-kit", condition: .when(traits: ["JWT"])),
            ]),
        .testTarget(
            name: "AktifyAPITests",
            dependencies: [
                "AktifyAPI", "Authentication", "ORM", "Postgres", "Resources", "TestSupport", "Web",
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ]),
        .testTarget(
            name: "FeatureTests",
            dependencies: [
                "AktifyAPI", "Authentication", "EventLoop", "Migrations", "ORM", "Postgres", "Resources", "SQL",
                "TestSupport", "Web",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
            ],
            exclude: ["queries.txt", "Corpus"]),
        .testTarget(
            name: "AktifyTests", dependencies: ["aktify", "EventLoop", "Migrations", "Scoreboard", "Supervisor"]),
        .testTarget(name: "EndToEndTests", dependencies: ["TestSupport"]),
    ],
    swiftLanguageModes: [.v6]
)

// `make fuzz` builds the fuzz targets with libFuzzer's driver; all other builds test what is in their corpus.
let fuzzed: [Target.Dependency] = [
    "AktifyAPI", "EventLoop", "FastCGI", "Migrations", "ORM", "Resources", "SQL", "Supervisor", "TestSupport", "Web",
    .product(name: "HTTPTypes", package: "swift-http-types"), .product(name: "Logging", package: "swift-log"),
]
package.targets.append(
    Context.environment["AKTIFY_FUZZ"] == "1"
        ? .executableTarget(
            name: "fuzz", dependencies: fuzzed, path: "Tests/Fuzz", exclude: ["Corpus", "CorpusTests.swift"])
        : .testTarget(
            name: "FuzzTests", dependencies: fuzzed, path: "Tests/Fuzz", exclude: ["Corpus", "Driver.swift"]))

// An async function runs where its caller does, instead of asking at each call and return whether it must move elsewhere: on
// a loop it never must.
for target in package.targets where target.type != .system {
    target.swiftSettings = [.enableUpcomingFeature("NonisolatedNonsendingByDefault")]
}

// Generic code of one module (a row's columns, a JSON member) is specialized in the module that uses it: without this, a
// list of 100 rows costs twice as much. What belongs to a loop is touched on its thread only, and the compiler proves that no
// value is changed while it is read; the checks at run time are left to debug builds. The flags are "unsafe" only in that
// packages that depend on this one cannot have them.
let shipped: [SwiftSetting] = [
    .unsafeFlags(["-cross-module-optimization", "-enforce-exclusivity=unchecked"], .when(configuration: .release))
]
for target in package.targets where target.type == .regular || target.type == .executable {
    target.swiftSettings? += shipped
}

// The state machines go through 100,000 random histories in each run of the tests: in seconds, since they are optimized in debug
// builds too.
for target in package.targets where ["Supervisor", "SupervisorTests", "PostgresTests"].contains(target.name) {
    target.swiftSettings? += [.unsafeFlags(["-O"], .when(configuration: .debug))]
}
