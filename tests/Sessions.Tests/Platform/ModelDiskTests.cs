using Sessions.Platform;
using Sessions.Tests.Disks;

namespace Sessions.Tests.Platform;

/// <summary>The contract on the disk in memory.</summary>
public sealed class MemoryDiskTests : SharingContract
{
    private readonly MemoryDisk _disk = new();

    private protected override IDisk OpenAgain() => _disk.OpenAs();
}

/// <summary>The contract on the faulty disk while nothing fails.</summary>
public sealed class FaultyDiskContractTests : SharingContract
{
    private readonly FaultyDisk _disk = new(seed: 1) { ChecksOneRule = false };

    private protected override IDisk OpenAgain() => _disk.OpenAs();
}
