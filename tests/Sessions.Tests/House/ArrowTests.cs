namespace Sessions.Tests.House;

/// <summary>The arrows between the files of the engine, as the compiler left them. What is still wrong stands in
/// House/Known.txt, a list that may only become shorter: a line that is no longer true fails as well.</summary>
public sealed class ArrowTests
{
    private const int CycleMax = 4;
    private const int LinesMax = 60;

    private static readonly CompiledHouse House = CompiledHouse.Read();

    [Fact]
    public void Every_file_stands_in_a_room_and_its_namespace_is_its_folder()
    {
        Assert.True(House.Namespaces.Count > 300);
        foreach ((string file, string space) in House.Namespaces)
        {
            string room = Rooms.Of(file);
            Assert.True(Rooms.Rank(room) >= 0, $"{file}: no such room");
            string folder = room.Length == 0 ? "Sessions" : "Sessions." + room.Replace('/', '.');
            Assert.True(space == folder || space == "Sessions", $"{file} is in namespace {space}");
        }
    }

    [Fact]
    public void No_arrow_points_up_but_those_that_are_known()
    {
        List<string> up = [.. House.Uses
            .SelectMany(u => u.Value, (u, to) => (From: u.Key, To: to))
            .Where(a => Rooms.Rank(Rooms.Of(a.To)) > Rooms.Rank(Rooms.Of(a.From))
                && !Rooms.AreOne(Rooms.Of(a.From), Rooms.Of(a.To)))
            .Select(a => $"up {a.From} -> {a.To}")];
        RequireKnown("up ", up);
    }

    // The files of a partial class are one.
    [Fact]
    public void No_cycle_of_files_is_larger_than_four_but_those_that_are_known()
        => RequireKnown("cycle ", [.. Cycles().Where(c => c.Count > CycleMax)
            .SelectMany(c => c).Select(file => $"cycle {file}")]);

    [Fact]
    public void No_method_is_longer_than_sixty_lines_but_those_that_are_known()
        => RequireKnown("long ", [.. House.Methods.Where(m => m.Lines > LinesMax)
            .Select(m => $"long {m.File} {m.Name}").Distinct()]);

    [Fact]
    public void The_map_in_the_docs_is_the_house()
    {
        string text = File.ReadAllText(Path.Combine(CompiledHouse.Root, "docs", "ARCHITECTURE.md"));
        string map = text.Split("```")[1];
        Assert.Equal(Rooms.All, map.Split('\n').Where(l => l.Length > 0 && l[0] != ' ').Select(l => l.Split(' ')[0])
            .Select(name => name == "(root)" ? "" : name.TrimEnd('/')));
    }

    [Fact]
    public void No_method_is_called_by_nobody_but_those_that_are_known()
        => RequireKnown("dead ", [.. House.Uncalled.Select(m => $"dead {m.File} {m.Name}")
            .Distinct()]);

    private static void RequireKnown(string kind, List<string> found)
    {
        List<string> known = [.. File.ReadAllLines(Path.Combine(CompiledHouse.Root, "tests", "Sessions.Tests", "House",
            "Known.txt")).Where(l => l.StartsWith(kind, StringComparison.Ordinal))];
        List<string> added = [.. found.Except(known).Order(StringComparer.Ordinal)];
        List<string> gone = [.. known.Except(found).Order(StringComparer.Ordinal)];
        Assert.True(added.Count == 0, "New, and not to be:\n" + string.Join('\n', added));
        Assert.True(gone.Count == 0, "Mended, so the lines go from House/Known.txt:\n" + string.Join('\n', gone));
    }

    private static string ClassOf(string file)
    {
        int name = file.LastIndexOf('/') + 1;
        return file[..file.IndexOf('.', name)];
    }

    // Strongly connected files, by Tarjan's algorithm.
    private static List<List<string>> Cycles()
    {
        Dictionary<string, HashSet<string>> uses = [];
        foreach ((string file, SortedSet<string> used) in House.Uses)
        {
            uses.TryAdd(ClassOf(file), []);
            uses[ClassOf(file)].UnionWith(used.Select(ClassOf));
        }

        Dictionary<string, int> number = [], low = [];
        var stack = new Stack<string>();
        HashSet<string> open = [];
        List<List<string>> found = [];
        foreach (string file in uses.Keys)
        {
            if (!number.ContainsKey(file))
            {
                Visit(file);
            }
        }

        return found;

        void Visit(string file)
        {
            number[file] = low[file] = number.Count;
            stack.Push(file);
            open.Add(file);
            foreach (string to in uses.GetValueOrDefault(file) ?? [])
            {
                if (!number.TryGetValue(to, out int seen))
                {
                    Visit(to);
                    low[file] = Math.Min(low[file], low[to]);
                }
                else if (open.Contains(to))
                {
                    low[file] = Math.Min(low[file], seen);
                }
            }

            if (low[file] != number[file])
            {
                return;
            }

            List<string> cycle = [];
            string last;
            do
            {
                cycle.Add(last = stack.Pop());
                open.Remove(last);
            }
            while (last != file);
            found.Add(cycle);
        }
    }
}
