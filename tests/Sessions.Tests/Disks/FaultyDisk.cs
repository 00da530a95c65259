using Sessions.Platform;

namespace Sessions.Tests.Disks;

/// <summary>
/// A disk in memory that fails as it is told, knows what is durable, and checks the one rule. All
/// chance comes from its seed. Counters and faults belong to one opening; space, the power cut and
/// the rule belong to the content.
/// </summary>
internal sealed class FaultyDisk : ModelDisk
{
    private readonly Shared _shared;

    public FaultyDisk(int seed = 0)
        : this(new DiskImage(tracks: true), new Shared(seed))
    {
    }

    private FaultyDisk(DiskImage image, Shared shared)
        : base(image) => _shared = shared;

    /// <summary>The seed all chance comes from.</summary>
    public int Seed => _shared.Seed;

    /// <summary>Calls of this opening so far, of every kind but locks.</summary>
    public long Operations { get; private set; }

    /// <summary>Calls of all openings so far that change or sync something.</summary>
    public long Changes => _shared.Changes;

    /// <summary>Calls of this opening so far that change or sync something.</summary>
    public long OwnChanges { get; private set; }

    /// <summary>The number of the call of this opening that fails, counted from 1; 0 for none.</summary>
    public long FailAt { get; set; }

    /// <summary>Every call from <see cref="FailAt"/> on fails, not that one alone.</summary>
    public bool FailsForGood { get; set; }

    /// <summary>Calls that fail whatever their number.</summary>
    public Func<DiskOperation, bool>? FailIf { get; set; }

    /// <summary>What a failing call says.</summary>
    public DiskError FailWith { get; set; } = DiskError.Io;

    /// <summary>How many calls have failed by order.</summary>
    public long Failures { get; private set; }

    /// <summary>A failing write has written a part.</summary>
    public bool ShortWrites { get; set; } = true;

    /// <summary>The change (see <see cref="Changes"/>) in which the power goes; 0 for none.</summary>
    public long CutAt
    {
        get => _shared.CutAt;
        set => _shared.CutAt = value;
    }

    /// <summary>The change (see <see cref="OwnChanges"/>) in which this opening alone is killed; 0 for
    /// none.</summary>
    public long KillAt { get; set; }

    /// <summary>Bytes of the disk; null for no limit.</summary>
    public long? SpaceBytes
    {
        get => Image.PagesMax * FileNode.PageBytes;
        set => Image.PagesMax = value / FileNode.PageBytes;
    }

    /// <summary>Bytes taken, in whole pages.</summary>
    public long UsedBytes => Image.UsedPages * FileNode.PageBytes;

    /// <summary>Fails at once where the one rule is broken.</summary>
    public bool ChecksOneRule
    {
        get => _shared.ChecksOneRule;
        set => _shared.ChecksOneRule = value;
    }

    /// <summary>What broke the one rule, however the engine took the exception.</summary>
    public OneRuleException? Violation => _shared.Violation;

    /// <summary>True once the power is gone.</summary>
    public bool IsCut => _shared.IsCut;

    /// <summary>Another opening of the same content, as another process has it, without faults.</summary>
    public FaultyDisk OpenAs() => WithSettings(new FaultyDisk(Image, _shared));

    /// <summary>Cuts the power where it is still on, and answers a new disk with what a crash could
    /// have left. May be asked again with another seed for another outcome of the same crash.</summary>
    public FaultyDisk AfterPowerCut(int seed, PowerCutOptions? options = null)
    {
        lock (Image.Gate)
        {
            Cut();
            RestorePages();
            DiskImage left = new PowerCut(Image, options ?? new PowerCutOptions(), new Random(seed)).Draw();
            return WithSettings(new FaultyDisk(left, new Shared(seed) { ChecksOneRule = ChecksOneRule }));
        }
    }

    /// <summary>Kills all processes where they still run, and answers a new disk on the same content:
    /// all that was written is there, but not durable; locks are gone.</summary>
    public FaultyDisk AfterKill()
    {
        lock (Image.Gate)
        {
            Cut();
            RestorePages();
            foreach (ModelLockFile locks in Image.LockFiles.ToArray())
            {
                locks.Close();
            }

            foreach (ModelFile file in Image.Files.ToArray())
            {
                file.Close();
            }

            return WithSettings(new FaultyDisk(Image, new Shared(Seed) { ChecksOneRule = ChecksOneRule }));
        }
    }

    /// <summary>A disk of its own with the same content, all of it durable, without locks.</summary>
    public FaultyDisk Copy()
    {
        lock (Image.Gate)
        {
            var options = new PowerCutOptions { Keep = 1 };
            DiskImage copy = new PowerCut(Image, options, new Random(0)).Draw();
            return WithSettings(new FaultyDisk(copy, new Shared(Seed) { ChecksOneRule = ChecksOneRule }));
        }
    }

    internal override void RefuseDead()
    {
        if (_shared.Violation is { } violation)
        {
            throw new OneRuleException(violation.Message);
        }

        if (_shared.IsCut)
        {
            throw new PowerCutException("The power is gone.");
        }

        base.RefuseDead();
    }

    internal override void Write(FileNode file, string path, ReadOnlySpan<byte> data, long offset)
    {
        lock (Image.Gate)
        {
            RefuseDead();
            var operation = new DiskOperation("pwrite", path, true);
            if (IsCutNow(operation))
            {
                WritePart(file, data, offset, () => _shared.Random.Next(2) == 0);
                throw End();
            }

            if (FailsNow(operation))
            {
                if (ShortWrites && data.Length > 0)
                {
                    WritePart(file, data[.._shared.Random.Next(data.Length)], offset, null);
                }

                throw DiskImage.Failure(FailWith, "pwrite", path);
            }

            CheckWrite("pwrite", path, file, offset, offset + data.Length);
            WriteAll(file, path, data, offset);
        }
    }

    internal override void Sync(FileNode file, string path)
    {
        lock (Image.Gate)
        {
            RefuseDead();
            var operation = new DiskOperation("fdatasync", path, true);
            if (IsCutNow(operation))
            {
                if (_shared.Random.Next(2) == 0)
                {
                    file.Sync();
                }

                throw End();
            }

            if (FailsNow(operation))
            {
                file.FailSync(_shared.Random);
                throw new DiskException(FailWith, "fdatasync", path, 0) { IsFailedSync = true };
            }

            file.Sync();
        }
    }

    internal override void CheckRule(string operation, string path, IEnumerable<Touch> touches)
    {
        if (ChecksOneRule && OneRule.Breach(Image, touches) is { } breach)
        {
            _shared.Violation = new OneRuleException($"{operation} {path} while {breach}");
            throw _shared.Violation;
        }
    }

    protected override bool Enter(DiskOperation operation)
    {
        if (IsCutNow(operation))
        {
            return _shared.Random.Next(2) == 0 ? true : throw End();
        }

        if (!FailsNow(operation))
        {
            return false;
        }

        if (operation.Name == "syncfs")
        {
            foreach (FileNode file in Image.AllNodes().OfType<FileNode>())
            {
                file.FailSync(_shared.Random);
            }
        }

        throw new DiskException(FailWith, operation.Name, operation.Path, 0) { IsFailedSync = operation.IsSync };
    }

    protected override PowerCutException End(DiskException? cause = null)
    {
        if (OwnChanges == KillAt)
        {
            KeepPages();
            Die();
            return new PowerCutException($"The process was killed at its change {OwnChanges}.", cause);
        }

        Cut();
        return new PowerCutException($"The power went at change {Changes}.", cause);
    }

    private void Cut()
    {
        if (!_shared.IsCut)
        {
            _shared.IsCut = true;
            KeepPages();
        }
    }

    // A killed process runs no handler that could still write to memory it shares. Here it does, so
    // the pages are kept as they were and put back.
    private void KeepPages() => _shared.Pages = [.. Image.AllNodes().OfType<FileNode>().Where(f => f.Mapped is not null)
        .Select(f => (f.Mapped!, (byte[])f.Mapped!.Clone()))];

    /// <summary>Puts the shared pages back to what they were when the process died.</summary>
    public void RestorePages()
    {
        foreach ((byte[] page, byte[] kept) in _shared.Pages)
        {
            kept.CopyTo(page, 0);
        }
    }

    private bool IsCutNow(DiskOperation operation)
    {
        Operations++;
        if (!operation.IsChange)
        {
            return false;
        }

        OwnChanges++;
        _shared.Changes++;
        return _shared.Changes == _shared.CutAt || OwnChanges == KillAt;
    }

    private bool FailsNow(DiskOperation operation)
    {
        bool fails = (FailAt > 0 && (Operations == FailAt || (FailsForGood && Operations > FailAt)))
            || FailIf?.Invoke(operation) == true;
        Failures += fails ? 1 : 0;
        return fails;
    }

    private void WritePart(FileNode file, ReadOnlySpan<byte> data, long offset, Func<bool>? filter)
    {
        long before = file.AllocatedPages;
        long free = Image.FreePages;
        file.Write(data, offset, ref free, filter);
        Image.AddPages(file.AllocatedPages - before);
    }

    private FaultyDisk WithSettings(FaultyDisk disk)
    {
        disk.Capabilities = Capabilities;
        disk.HasSyncAll = HasSyncAll;
        return disk;
    }

    /// <summary>What all openings of one content have in common.</summary>
    private sealed class Shared(int seed)
    {
        public int Seed { get; } = seed;

        public Random Random { get; } = new(seed);

        public long Changes { get; set; }

        public long CutAt { get; set; }

        public bool IsCut { get; set; }

        public bool ChecksOneRule { get; set; } = true;

        public OneRuleException? Violation { get; set; }

        public List<(byte[] Page, byte[] Kept)> Pages { get; set; } = [];
    }
}
