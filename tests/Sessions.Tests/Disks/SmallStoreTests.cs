using System.Buffers.Binary;
using Sessions.Platform;
using Sessions.Tests.Coordination.Queueing;

namespace Sessions.Tests.Disks;

/// <summary>
/// Tests the faulty disk with the smallest store there is: a number, journaled and then written to a
/// file. Done right it survives a cut at every change, so the disk is not too hard; with any one step
/// left out some cut is found that loses something, so it is not too soft.
/// </summary>
public sealed class SmallStoreTests
{
    private const int Commits = 6;
    private const int SeedsPerCut = 12;

    public enum Mistake
    {
        None,
        NoJournalSync,
        NoFolderSync,
        AppliesFirst,
        ReusesWithoutSync,
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_right_way_survives_a_cut_at_every_change(bool metadataOrdered) =>
        Assert.Null(FindLoss(Mistake.None, metadataOrdered));

    [Theory]
    [InlineData(Mistake.NoJournalSync)]
    [InlineData(Mistake.NoFolderSync)]
    [InlineData(Mistake.AppliesFirst)]
    [InlineData(Mistake.ReusesWithoutSync)]
    public void Each_mistake_is_found(Mistake mistake)
    {
        string? loss = FindLoss(mistake, metadataOrdered: false);
        Assert.NotNull(loss);
        Assert.Equal(loss, FindLoss(mistake, metadataOrdered: false)); // and found again, the same
    }

    private static string? FindLoss(Mistake mistake, bool metadataOrdered)
    {
        var options = new PowerCutOptions { MetadataOrdered = metadataOrdered };
        for (int cut = 1; ; cut++)
        {
            for (int seed = 0; seed < SeedsPerCut; seed++)
            {
                var disk = new FaultyDisk(seed) { ChecksOneRule = mistake != Mistake.AppliesFirst, CutAt = cut };
                int acknowledged = 0;
                try
                {
                    using IDiskFile journal = Open(disk, mistake);
                    for (int number = 1; number <= Commits; number++)
                    {
                        Commit(disk, journal, number, mistake);
                        acknowledged = number;
                    }

                    return null; // the cut lies behind the end: every change was tried
                }
                catch (PowerCutException)
                {
                    int found = Recover(disk.AfterPowerCut(seed * 1000, options), cutAt: 1 + (seed % 3));
                    if (found < acknowledged || found > acknowledged + 1)
                    {
                        return $"cut {cut}, seed {seed}: {found} instead of {acknowledged}";
                    }
                }
                catch (OneRuleException e)
                {
                    return e.Message;
                }
            }
        }
    }

    private static IDiskFile Open(FaultyDisk disk, Mistake mistake)
    {
        disk.CreateFolder("");
        foreach (string folder in new[] { "journal", "sessions", "tmp" })
        {
            disk.CreateFolder(folder);
        }

        IDiskFile journal = disk.Open("journal/1", OpenMode.OpenOrCreate);
        journal.Write(new byte[2 * 4096], 0);
        journal.Sync();
        if (mistake != Mistake.NoFolderSync)
        {
            disk.SyncFolder("journal");
        }

        disk.SyncFolder("");
        return journal;
    }

    // One frame a commit: the number and its complement, alone in its place.
    private static void Commit(FaultyDisk disk, IDiskFile journal, int number, Mistake mistake)
    {
        if (mistake == Mistake.AppliesFirst)
        {
            Apply(disk, number);
        }

        byte[] frame = new byte[8];
        BinaryPrimitives.WriteInt32LittleEndian(frame, number);
        BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(4), ~number);
        journal.Write(frame, mistake == Mistake.ReusesWithoutSync ? 0 : number * 1000);
        if (mistake is Mistake.NoJournalSync or Mistake.ReusesWithoutSync)
        {
            return; // without the rule's check in the way
        }

        journal.Sync();
        Apply(disk, number);
    }

    private static void Apply(FaultyDisk disk, int number)
    {
        if (disk.Stat("tmp/new") is not null)
        {
            disk.Unlink("tmp/new"); // after a cut it may be one more name of the file that is read
        }

        using (IDiskFile file = disk.Open("tmp/new", OpenMode.OpenOrCreate))
        {
            file.Write([(byte)number], 0);
        }

        disk.Rename("tmp/new", "sessions/number");
    }

    // What the store holds: the last whole frame; and no number in the file that is beyond it. Cut
    // itself once on the way, as a recovery may be.
    private static int Recover(FaultyDisk disk, int cutAt)
    {
        int last = 0;
        if (disk.Peek("journal/1") is { } journal)
        {
            for (int at = 0; at + 8 <= journal.Length; at += 8)
            {
                int number = BinaryPrimitives.ReadInt32LittleEndian(journal.AsSpan(at));
                bool isWhole = number > 0 && BinaryPrimitives.ReadInt32LittleEndian(journal.AsSpan(at + 4)) == ~number;
                last = isWhole ? Math.Max(last, number) : last;
            }
        }

        if (disk.Peek("sessions/number") is { Length: > 0 } file && file[0] > last)
        {
            return -1;
        }

        if (last > 0)
        {
            disk.CutAt = cutAt;
            try
            {
                Apply(disk, last);
            }
            catch (PowerCutException)
            {
                return Recover(disk.AfterPowerCut(cutAt), cutAt: 0);
            }

            Assert.Equal([(byte)last], disk.Peek("sessions/number")!);
        }

        return last;
    }
}
