using System.Reflection;
using System.Runtime.InteropServices;
using Sessions.Bindings;
using Xunit;

namespace Sessions.Native.Tests.Abi;

/// <summary>bindings/csharp declares what the headers declare, in the generator's form.</summary>
public sealed class BindingsTests
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly;

    [Fact]
    public void EveryFunctionIsDeclaredAsInTheHeader()
    {
        var expected = ClangReader.Header.Functions.ToDictionary(function => function.Name);
        MethodInfo[] methods = [.. typeof(Methods).GetMethods(Declared).Where(method => !method.IsSpecialName)];
        Assert.Equal(expected.Keys.Order(), methods.Select(method => method.Name).Order());
        foreach (MethodInfo method in methods)
        {
            HeaderFunction function = expected[method.Name];
            AssertType(function.Returns, method.ReturnType, NativeName(method.ReturnParameter), method.Name);
            Assert.Equal(function.Parameters.Select(parameter => parameter.Name),
                method.GetParameters().Select(parameter => parameter.Name));
            foreach ((HeaderParameter wanted, ParameterInfo got) in function.Parameters.Zip(method.GetParameters()))
            {
                AssertType(wanted.Type, got.ParameterType, NativeName(got), $"{method.Name}({wanted.Name})");
            }

            DllImportAttribute import = method.GetCustomAttribute<DllImportAttribute>()!;
            Assert.Equal(("sessions", CallingConvention.Cdecl, true, method.Name, false),
                (import.Value, import.CallingConvention, import.ExactSpelling, import.EntryPoint, import.SetLastError));
        }
    }

    [Fact]
    public unsafe void EveryStructHasTheLayoutThatClangGivesIt()
    {
        foreach (HeaderStruct expected in ClangReader.Header.Structs)
        {
            Type type = typeof(Methods).Assembly.GetType($"Sessions.Bindings.{expected.Tag}", throwOnError: true)!;
            FieldInfo[] fields = [.. type.GetFields(BindingFlags.Public | BindingFlags.Instance)
                .OrderBy(field => Marshal.OffsetOf(type, field.Name))];
            Assert.Equal(expected.Size, Marshal.SizeOf(type));
            Assert.Equal(expected.Fields.Select(field => (field.Name, field.Offset)),
                fields.Select(field => (field.Name, (int)Marshal.OffsetOf(type, field.Name))));
            foreach ((HeaderField wanted, FieldInfo got) in expected.Fields.Zip(fields))
            {
                AssertType(wanted.Type, got.FieldType, got.GetCustomAttribute<NativeTypeNameAttribute>()?.Name,
                    $"{expected.Tag}.{wanted.Name}");
            }
        }
    }

    [Fact]
    public void EveryConstantHasTheValueOfTheHeader()
    {
        var numbers = typeof(Methods).GetFields(Declared).ToDictionary(field => field.Name);
        var texts = typeof(Methods).GetProperties(Declared).ToDictionary(property => property.Name);
        Assert.Equal(ClangReader.Header.Constants.Select(constant => constant.Name).Order(),
            numbers.Keys.Concat(texts.Keys).Order());
        foreach (HeaderConstant constant in ClangReader.Header.Constants)
        {
            MemberInfo member = constant.Type == "text" ? texts[constant.Name] : numbers[constant.Name];
            Assert.Equal($"#define {constant.Name} {constant.Spelling}",
                member.GetCustomAttribute<NativeTypeNameAttribute>()!.Name);
            if (member is FieldInfo field)
            {
                Assert.Equal(constant.Type == "uint32_t" ? typeof(uint) : typeof(int), field.FieldType);
                Assert.Equal(constant.Number, Convert.ToInt64(field.GetRawConstantValue()));
            }
        }
    }

    [Fact]
    public void TheManagedEnumsHaveTheNumbersOfTheHeader()
    {
        foreach (HeaderConstant constant in ClangReader.Header.Constants)
        {
            string name = constant.Name;
            if (name.StartsWith("SESSION_E_", StringComparison.Ordinal))
            {
                string member = CTypes.Pascal(name["SESSION_E_".Length..].ToLowerInvariant());
                Assert.Equal(constant.Number, (long)Enum.Parse<SessionStatus>(member));
                Assert.Equal(name, Call.Name((int)constant.Number!));
            }
        }

        Assert.Equal("SESSION_OK", Call.Name(0));
        Assert.Equal("unknown", Call.Name(-12345));
        Assert.Equal("unknown", Call.Name(1));
    }

    [Fact]
    public void TheManagedChoicesAndFlagsAreThoseOfTheHeader()
    {
        (string Prefix, Type Enum)[] families =
        [
            ("SESSION_DURABILITY_", typeof(Durability)), ("SESSION_STORE_", typeof(StoreFlags)),
            ("SESSION_ORDER_", typeof(ListOrder)), ("SESSION_ARCHIVED_", typeof(ArchivedFilter)),
            ("SESSION_LIST_", typeof(ListFlags)), ("SESSION_SHARE_", typeof(ShareFlags)),
            ("SESSION_STAT_", typeof(StatFlags)), ("SESSION_DELETE_", typeof(DeletePolicy)),
            ("SESSION_ABORT_", typeof(AbortFlags)), ("SESSION_APPEND_", typeof(AppendFlags)),
            ("SESSION_READ_", typeof(ReadFlags)), ("SESSION_LOCK_", typeof(LockMode)),
            ("SESSION_LOCK_", typeof(LockFlags)), ("SESSION_WATCH_", typeof(WatchFlags)),
            ("SESSION_QUEUE_", typeof(QueueOutcome)),
        ];
        foreach ((string prefix, Type type) in families)
        {
            var expected = ClangReader.Header.Constants
                .Where(constant => constant.Name.StartsWith(prefix, StringComparison.Ordinal)
                    && (prefix != "SESSION_LOCK_" || (constant.Type == "int32_t") == (type == typeof(LockMode))))
                .Select(constant => (CTypes.Pascal(constant.Name[prefix.Length..].ToLowerInvariant()
                    .Replace("_desc", "_descending", StringComparison.Ordinal)
                    .Replace("_asc", "_ascending", StringComparison.Ordinal)), constant.Number!.Value))
                .Where(pair => pair.Item1 != "Cascade") // 0 of a flags enum is spelled differently, if at all
                .Order();
            var actual = Enum.GetValues(type).Cast<object>()
                .Select(value => (value.ToString()!, Convert.ToInt64(value)))
                .Where(pair => pair.Item1 is not ("None" or "Cascade"))
                .Order();
            Assert.Equal(expected, actual);
        }
    }

    private static string? NativeName(ParameterInfo parameter) =>
        parameter.GetCustomAttribute<NativeTypeNameAttribute>()?.Name;

    private static void AssertType(string native, Type managed, string? attribute, string where)
    {
        Assert.True(CTypes.Binding(native) == CTypes.Spell(managed),
            $"{where}: {native} is {CTypes.Spell(managed)} here, not {CTypes.Binding(native)}");
        string expected = CTypes.IsSpelledAlike(native) ? "" : native;
        Assert.True(expected == (attribute ?? ""), $"{where}: the attribute says '{attribute}', not '{expected}'");
    }
}
