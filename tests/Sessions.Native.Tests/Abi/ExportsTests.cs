using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using Xunit;

namespace Sessions.Native.Tests.Abi;

/// <summary>The library exports what the headers declare, and the managed code behind it takes it so.</summary>
public sealed class ExportsTests
{
    // Answered in C, without the runtime; see src/Sessions.Native/c.
    private static readonly string[] s_answeredInC =
    [
        "session_version", "session_abi_version", "session_supports", "session_status_name", "session_last_error",
        "session_string_free", "session_options_init", "session_signal_abort", "plue_free_string",
        "plue_get_last_error",
    ];

    // What the C side calls of itself.
    private static readonly string[] s_calledByC =
        ["managed_start", "managed_keep_error", "managed_take_aborts", "managed_record_aborts"];

    [Fact]
    public void ExportedSymbolsAreTheDeclaredFunctions()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "reads ELF symbols with nm");
        Assert.SkipWhen(Library.IsHalf, "the C half alone has its managed half to import");
        var start = new ProcessStartInfo("nm") { RedirectStandardOutput = true };
        foreach (string argument in (string[])["-D", "--defined-only", Library.File])
        {
            start.ArgumentList.Add(argument);
        }

        using Process nm = Process.Start(start)!;
        string[] symbols = [.. nm.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(' '))
            .Where(parts => parts[^2] != "A") // the name of the symbol version itself
            .Select(parts => parts[^1].Split('@')[0])];
        nm.WaitForExit();
        Assert.Equal(0, nm.ExitCode);
        Assert.Equal(ClangReader.Header.Functions.Select(function => function.Name).Order(), symbols.Order());
    }

    [Fact]
    public void EveryManagedExportTakesWhatTheHeaderSays()
    {
        var behind = typeof(Handles).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public))
            .Select(method => (Method: method,
                Entry: method.GetCustomAttribute<UnmanagedCallersOnlyAttribute>()?.EntryPoint))
            .Where(pair => pair.Entry is not null && !s_calledByC.Contains(pair.Entry))
            .ToDictionary(pair => pair.Entry!, pair => pair.Method);
        HeaderFunction[] functions =
            [.. ClangReader.Header.Functions.Where(function => !s_answeredInC.Contains(function.Name))];
        Assert.Equal(functions.Select(function => "managed_" + function.Name).Order(), behind.Keys.Order());
        foreach (HeaderFunction function in functions)
        {
            MethodInfo method = behind["managed_" + function.Name];
            bool isDropIn = function.Name.StartsWith("plue_", StringComparison.Ordinal);
            string Expected(string type) => isDropIn && type == "void *" ? "IntPtr" : CTypes.Export(type);
            Assert.Equal(
                $"{Expected(function.Returns)} {function.Name}" +
                $"({string.Join(", ", function.Parameters.Select(p => Expected(p.Type)))})",
                $"{CTypes.Spell(method.ReturnType)} {function.Name}" +
                $"({string.Join(", ", method.GetParameters().Select(p => CTypes.Spell(p.ParameterType)))})");
            Assert.Equal(function.Parameters.Select(p => p.Name.Replace("_", "", StringComparison.Ordinal)),
                method.GetParameters().Select(p => p.Name!.ToLowerInvariant()));
        }
    }

    [Fact]
    public void EveryStructOfTheExportsHasTheLayoutThatClangGivesIt()
    {
        foreach (HeaderStruct expected in ClangReader.Header.Structs.Where(type => type.Tag != "session_error"))
        {
            Type type = typeof(Handles).Assembly.GetType($"Sessions.Native.{CTypes.Export(expected.Name)}",
                throwOnError: true)!;
            FieldInfo[] fields = [.. type.GetFields(BindingFlags.NonPublic | BindingFlags.Instance)
                .OrderBy(field => Marshal.OffsetOf(type, field.Name))];
            Assert.Equal(expected.Size, Marshal.SizeOf(type));
            Assert.Equal(
                expected.Fields.Select(field => (CTypes.Pascal(field.Name), field.Offset, CTypes.Export(field.Type))),
                fields.Select(field => (field.Name, (int)Marshal.OffsetOf(type, field.Name),
                    CTypes.Spell(field.FieldType))));
        }
    }
}
