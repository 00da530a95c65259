using System.Text;
using Sessions.Platform;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;

namespace Sessions.Tests.Platform;

/// <summary>The same random calls on the real disk, the memory disk and the faulty one have the same
/// results and leave the same content, so that what is proven on a model holds on a disk.</summary>
public sealed class DifferentialTests : IDisposable
{
    private const int Steps = 3_000;

    private static readonly string[] Names = ["a", "b", "c", "f", "f/a", "f/b", "f/g", "f/g/a", "g", "g/a", "a/x", ""];

    private readonly string _temp = Directory.CreateTempSubdirectory("sessions-differential-").FullName;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Models_do_what_the_real_disk_does(int seed)
    {
        using IDisk real = RealDisk.Open(Path.Combine(_temp, "store"));
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The models speak Linux's errors.");
        IDisk[] disks = [real, new MemoryDisk(), new FaultyDisk(seed)];
        Random[] randoms = [new(seed), new(seed), new(seed)];
        foreach (IDisk disk in disks)
        {
            disk.CreateFolder("");
        }

        for (int step = 0; step < Steps; step++)
        {
            string[] said = [.. disks.Select((disk, i) => Step(disk, randoms[i]))];
            Assert.True(said.Distinct().Count() == 1, $"seed {seed}, step {step}: {string.Join(" | ", said)}");
        }

        string[] left = [.. disks.Select(Dump)];
        Assert.Equal(left[0], left[1]);
        Assert.Equal(left[0], left[2]);
    }

    public void Dispose() => Directory.Delete(_temp, recursive: true);

    private static string Step(IDisk disk, Random random)
    {
        string path = Names[random.Next(Names.Length - 1)];
        string other = Names[random.Next(Names.Length - 1)];
        int offset = random.Next(3) * 3000;
        byte[] data = new byte[random.Next(6000)];
        random.NextBytes(data);
        int kind = random.Next(14);
        string call = $"{kind} {path} {other}: ";
        try
        {
            switch (kind)
            {
                case 0:
                    disk.Open(path, OpenMode.CreateNew).Dispose();
                    break;
                case 1 or 2:
                    using (IDiskFile file = disk.Open(path, OpenMode.OpenOrCreate))
                    {
                        file.Write(data, offset);
                        return call + file.Length;
                    }

                case 3:
                    using (IDiskFile file = disk.Open(path, OpenMode.ReadWrite))
                    {
                        file.SetLength(offset);
                        file.Sync();
                    }

                    break;
                case 4:
                    using (IDiskFile file = disk.Open(path, OpenMode.Read))
                    {
                        byte[] back = new byte[5000];
                        return call + file.Read(back, offset) + " " + Hash(back);
                    }

                case 5 or 6:
                    disk.CreateFolder(path);
                    break;
                case 7 or 8:
                    disk.Rename(path, other);
                    break;
                case 9 when disk.Stat(path) is { IsFolder: false } && disk.Stat(other) is { IsFolder: false }:
                    disk.Exchange(path, other);
                    break;
                case 10:
                    disk.Link(path, other);
                    break;
                case 11:
                    disk.Unlink(path);
                    break;
                case 12:
                    disk.RemoveFolder(path);
                    break;
                default:
                    return call + (disk.Stat(path) is { } entry ? $"{entry.IsFolder} {FileFacts(entry)}" : "none");
            }

            return call + "done";
        }
        catch (DiskException e)
        {
            return call + e.Error;
        }
    }

    private static string FileFacts(DiskEntry entry) => entry.IsFolder ? "" : $"{entry.Length} {entry.Links}";

    private static string Dump(IDisk disk)
    {
        var text = new StringBuilder();
        Add("");
        return text.ToString();

        void Add(string folder)
        {
            foreach (DiskName name in disk.List(folder).OrderBy(n => n.Name, StringComparer.Ordinal))
            {
                string path = folder.Length == 0 ? name.Name : folder + "/" + name.Name;
                text.Append(path).Append(' ');
                if (name.IsFolder)
                {
                    text.AppendLine("folder");
                    Add(path);
                    continue;
                }

                using IDiskFile file = disk.Open(path, OpenMode.Read);
                byte[] content = new byte[file.Length];
                file.Read(content, 0);
                text.Append(content.Length).Append(' ').AppendLine(Hash(content));
            }
        }
    }

    private static string Hash(byte[] bytes) =>
        Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(bytes), 0, 8);
}
