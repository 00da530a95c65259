using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Sessions.Native.Tests.Abi;

/// <summary>Lets Clang read the headers: syntax tree, record layouts, macros.</summary>
internal static partial class ClangReader
{
    private static readonly Lazy<Header> s_header = new(ReadAll);
    private static readonly string[] s_files =
    [
        "sessions/types.h", "sessions/store.h", "sessions/session.h", "sessions/events.h", "sessions/coordination.h",
        "plue_session.h",
    ];

    /// <summary>All headers.</summary>
    public static Header Header => s_header.Value;

    private static Header ReadAll()
    {
        var functions = new List<HeaderFunction>();
        var tags = new Dictionary<string, string>();
        var handles = new SortedSet<string>(StringComparer.Ordinal);
        var seen = new HashSet<string>();
        foreach (string file in s_files)
        {
            foreach (JsonElement node in Tree(file))
            {
                Collect(node, file, functions, tags, handles, seen);
            }
        }

        string everything = string.Concat(s_files.Select(file => $"#include \"{file}\"\n"));
        return new Header(functions, Layouts(everything, tags), [.. handles], Macros(everything));
    }

    private static void Collect(JsonElement node, string file, List<HeaderFunction> functions,
        Dictionary<string, string> tags, SortedSet<string> handles, HashSet<string> seen)
    {
        if (!node.TryGetProperty("name", out JsonElement nameElement))
        {
            return;
        }

        string name = nameElement.GetString()!;
        string kind = node.GetProperty("kind").GetString()!;
        bool isOurs = name.StartsWith("session_", StringComparison.Ordinal)
            || name.StartsWith("plue_", StringComparison.Ordinal);
        if (!isOurs || (kind != "RecordDecl" && !seen.Add(name)))
        {
            return;
        }

        string type = node.TryGetProperty("type", out JsonElement t) ? t.GetProperty("qualType").GetString()! : "";
        if (kind == "FunctionDecl")
        {
            functions.Add(new HeaderFunction(name, file, type[..type.IndexOf('(')].Trim(), Parameters(node)));
        }
        else if (kind == "TypedefDecl" && type.StartsWith("struct ", StringComparison.Ordinal))
        {
            string tag = type["struct ".Length..];
            if (tag.EndsWith("_s", StringComparison.Ordinal))
            {
                handles.Add(name);
            }
            else if (!tag.EndsWith('*'))
            {
                tags.Add(tag, name);
            }
        }
    }

    private static List<HeaderParameter> Parameters(JsonElement function) =>
        !function.TryGetProperty("inner", out JsonElement inner) ? [] :
        [.. inner.EnumerateArray().Where(node => node.GetProperty("kind").GetString() == "ParmVarDecl")
            .Select(node => new HeaderParameter(node.GetProperty("name").GetString()!,
                node.GetProperty("type").GetProperty("qualType").GetString()!))];

    private static IEnumerable<JsonElement> Tree(string file)
    {
        string json = Run($"#include \"{file}\"\n", "-fsyntax-only", "-Xclang", "-ast-dump=json");
        using JsonDocument document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 512 });
        return [.. document.RootElement.GetProperty("inner").EnumerateArray().Select(node => node.Clone())];
    }

    private static List<HeaderStruct> Layouts(string source, Dictionary<string, string> tags)
    {
        string probe = source + string.Concat(tags.Values.Select(name => $"char probe_{name}[sizeof({name})];\n"));
        string dump = Run(probe, "-fsyntax-only", "-Xclang", "-fdump-record-layouts");
        var structs = new List<HeaderStruct>();
        foreach (string record in dump.Split("*** Dumping AST Record Layout").Skip(1))
        {
            string tag = TagPattern().Match(record).Groups[1].Value;
            if (tags.TryGetValue(tag, out string? name) && structs.TrueForAll(known => known.Tag != tag))
            {
                structs.Add(new HeaderStruct(name, tag, int.Parse(SizePattern().Match(record).Groups[1].Value),
                    Fields(record)));
            }
        }

        return structs;
    }

    private static List<HeaderField> Fields(string record) =>
        [.. FieldPattern().Matches(record).Select(match =>
        {
            string type = match.Groups[2].Value.Trim();
            return new HeaderField(match.Groups[3].Value, type, int.Parse(match.Groups[1].Value), SizeOf(type));
        })];

    private static int SizeOf(string type) => type switch
    {
        "uint32_t" or "int32_t" or "session_status_t" => 4,
        "uint64_t" or "int64_t" => 8,
        "session_wake_fn" => 8,
        _ when type.EndsWith('*') => 8,
        _ => throw new InvalidDataException($"the tests do not know the size of {type}"),
    };

    private static List<HeaderConstant> Macros(string source) =>
        [.. MacroPattern().Matches(Run(source, "-E", "-dM")).Select(match =>
        {
            string value = match.Groups[2].Value;
            string type = value.StartsWith('"') ? "text" : value.EndsWith('u') ? "uint32_t" : "int32_t";
            return new HeaderConstant(match.Groups[1].Value, value, type);
        }).OrderBy(constant => constant.Name, StringComparer.Ordinal)];

    private static string Run(string source, params string[] arguments)
    {
        var start = new ProcessStartInfo(Compiler())
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
        };
        foreach (string argument in (string[])
            [
                .. arguments, "-std=c99", "-I", Tree("include"), "-x", "c", "-",
                "-DSESSION_NULLABLE=", "-DSESSION_NONNULL=", // types as C has them
            ])
        {
            start.ArgumentList.Add(argument);
        }

        using Process clang = Process.Start(start)!;
        Task<string> errors = clang.StandardError.ReadToEndAsync();
        Task<string> output = clang.StandardOutput.ReadToEndAsync();
        clang.StandardInput.Write(source);
        clang.StandardInput.Close();
        clang.WaitForExit();
        return clang.ExitCode == 0 ? output.Result : throw new InvalidDataException(errors.Result);

        static string Tree(string name) => Path.Combine(Library.Root, name);
    }

    private static string Compiler()
    {
        string? named = Environment.GetEnvironmentVariable("CLANG");
        IEnumerable<string> names = ["clang", .. Enumerable.Range(11, 20).Reverse().Select(n => $"clang-{n}")];
        IEnumerable<string> folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        return !string.IsNullOrEmpty(named) ? named
            : names.SelectMany(name => folders.Select(folder => Path.Combine(folder, name))).FirstOrDefault(File.Exists)
            ?? throw new InvalidDataException("the drift tests need Clang; set CLANG to its path");
    }

    [GeneratedRegex(@"\| struct (\w+)")]
    private static partial Regex TagPattern();

    [GeneratedRegex(@"\[sizeof=(\d+)")]
    private static partial Regex SizePattern();

    [GeneratedRegex(@"^ *(\d+) \|   (\S.*?)(\w+)$", RegexOptions.Multiline)]
    private static partial Regex FieldPattern();

    [GeneratedRegex(@"^#define ((?:SESSION|PLUE)_\w+) (\(?-?(?:0x)?[0-9A-Fa-f]+u?\)?|"".*"")$", RegexOptions.Multiline)]
    private static partial Regex MacroPattern();
}
