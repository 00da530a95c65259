using System.Collections.Immutable;
using System.Reflection;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using System.Text.RegularExpressions;
using Sessions.Model;

namespace Sessions.Tests.House;

/// <summary>What the compiler made of the engine: which file names which. It is read from the assembly and its symbols,
/// so that neither a comment nor a using counts. A constant leaves no trace there.</summary>
internal sealed partial class CompiledHouse
{
    private const string Below = "src/Sessions/";

    private readonly MetadataReader _types;
    private readonly MetadataReader _symbols;
    private readonly PEReader _image;
    private readonly Dictionary<TypeDefinitionHandle, string> _homes = [];
    private readonly Dictionary<MethodDefinitionHandle, string> _places = [];
    private readonly Dictionary<string, SortedSet<string>> _uses = [];
    private readonly Dictionary<string, string> _namespaces = [];
    private readonly List<(string Name, string File, int Lines)> _methods = [];
    private readonly HashSet<MethodDefinitionHandle> _called = [];
    private readonly HashSet<string> _calledNames = []; // of generic types, whose methods are called by name

    private CompiledHouse(PEReader image, MetadataReader symbols, string root)
    {
        (_image, _symbols, _types) = (image, symbols, image.GetMetadataReader());
        FindPlaces();
        FindHomes(root);
        foreach (TypeDefinitionHandle type in _types.TypeDefinitions)
        {
            Read(type);
        }

        Uncalled = FindUncalled(root);
    }

    /// <summary>By file, relative to the engine's folder, the files that it uses.</summary>
    public IReadOnlyDictionary<string, SortedSet<string>> Uses => _uses;

    /// <summary>By file, the namespace of what is declared in it.</summary>
    public IReadOnlyDictionary<string, string> Namespaces => _namespaces;

    /// <summary>Methods with the lines from their first to their last statement.</summary>
    public IReadOnlyList<(string Name, string File, int Lines)> Methods => _methods;

    /// <summary>Methods that nothing in the engine calls, that fulfil no interface and no base class, are no part of
    /// the public API, and whose name the C exports do not have.</summary>
    public IReadOnlyList<(string Name, string File)> Uncalled { get; }

    /// <summary>The folder that has the solution.</summary>
    public static string Root
    {
        get
        {
            DirectoryInfo? folder = new(AppContext.BaseDirectory);
            while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Sessions.sln")))
            {
                folder = folder.Parent;
            }

            return folder?.FullName ?? throw new DirectoryNotFoundException("The tests run outside of the sources.");
        }
    }

    public static CompiledHouse Read()
    {
        string path = typeof(SessionStore).Assembly.Location;
        using var image = new PEReader(File.OpenRead(path));
        using var symbols = MetadataReaderProvider.FromPortablePdbStream(
            File.OpenRead(Path.ChangeExtension(path, ".pdb")));
        return new CompiledHouse(image, symbols.GetMetadataReader(), Root);
    }

    private void FindPlaces()
    {
        foreach (MethodDefinitionHandle method in _types.MethodDefinitions)
        {
            MethodDebugInformation information = _symbols.GetMethodDebugInformation(method);
            List<SequencePoint> points = [.. information.GetSequencePoints().Where(p => !p.IsHidden)];
            if (points.Count == 0 || FileOf(points[0].Document) is not { } file)
            {
                continue;
            }

            _places[method] = file;
            MethodDefinition definition = _types.GetMethodDefinition(method);
            if (!definition.Attributes.HasFlag(MethodAttributes.RTSpecialName))
            {
                // A constructor has the initializers of fields, wherever those are.
                _methods.Add((NameOf(definition), file, points.Max(p => p.EndLine) - points.Min(p => p.StartLine) + 1));
            }

            TypeDefinitionHandle type = Outermost(definition.GetDeclaringType());
            string name = Simple(_types.GetString(_types.GetTypeDefinition(type).Name));
            if (!_homes.ContainsKey(type) || Path.GetFileName(file) == name + ".cs")
            {
                _homes[type] = file;
            }
        }
    }

    private List<(string Name, string File)> FindUncalled(string root)
    {
        var words = new HashSet<string>(Directory.GetFiles(Path.Combine(root, "src", "Sessions.Native"), "*.cs")
            .SelectMany(f => Word().Matches(File.ReadAllText(f)).Select(m => m.Value)));
        List<(string, string)> found = [];
        foreach ((MethodDefinitionHandle method, string file) in _places)
        {
            MethodDefinition definition = _types.GetMethodDefinition(method);
            TypeDefinition type = _types.GetTypeDefinition(definition.GetDeclaringType());
            string name = _types.GetString(definition.Name);
            bool isPublic = (definition.Attributes & MethodAttributes.MemberAccessMask) is MethodAttributes.Public
                && (type.Attributes & TypeAttributes.VisibilityMask) is TypeAttributes.Public;
            bool isOurs = !definition.Attributes.HasFlag(MethodAttributes.RTSpecialName)
                && !name.StartsWith("op_", StringComparison.Ordinal) && !name.Contains('<', StringComparison.Ordinal)
                && !name.Contains('.', StringComparison.Ordinal) // an interface's, in so many words
                && !_types.GetString(type.Name).Contains('<', StringComparison.Ordinal);
            if (name.StartsWith("set_", StringComparison.Ordinal) || IsForTests(definition))
            {
                continue; // records make setters for all that they have
            }

            string word = name.StartsWith("get_", StringComparison.Ordinal) ? name[4..] : name;
            if (isOurs && !isPublic && !definition.Attributes.HasFlag(MethodAttributes.Virtual)
                && !_called.Contains(method) && !_calledNames.Contains(name) && !words.Contains(word))
            {
                found.Add((_types.GetString(type.Name) + "." + name, file));
            }
        }

        return found;
    }

    private bool IsForTests(MethodDefinition method)
    {
        string name = _types.GetString(method.Name);
        IEnumerable<CustomAttributeHandle> attributes = method.GetCustomAttributes();
        foreach (PropertyDefinitionHandle handle in _types.GetTypeDefinition(method.GetDeclaringType()).GetProperties())
        {
            PropertyDefinition property = _types.GetPropertyDefinition(handle);
            attributes = "get_" + _types.GetString(property.Name) == name ? property.GetCustomAttributes() : attributes;
        }

        return attributes.Select(a => _types.GetCustomAttribute(a).Constructor)
            .Where(c => c.Kind == HandleKind.MethodDefinition)
            .Select(c => _types.GetMethodDefinition((MethodDefinitionHandle)c).GetDeclaringType())
            .Any(t => _types.GetString(_types.GetTypeDefinition(t).Name) == nameof(ForTestsAttribute));
    }

    // Interfaces, enumerations and records have no statements: they are where the text declares them.
    private void FindHomes(string root)
    {
        Dictionary<(string Space, string Name), string> declared = [];
        foreach (string path in Directory.GetFiles(Path.Combine(root, "src", "Sessions"), "*.cs",
            SearchOption.AllDirectories))
        {
            string file = Path.GetRelativePath(Path.Combine(root, "src", "Sessions"), path).Replace('\\', '/');
            if (file.StartsWith("obj/", StringComparison.Ordinal) || file.StartsWith("bin/", StringComparison.Ordinal))
            {
                continue;
            }

            string text = File.ReadAllText(path);
            string space = Space().Match(text).Groups[1].Value;
            _namespaces[file] = space;
            foreach (Match match in Declaration().Matches(text))
            {
                declared.TryAdd((space, match.Groups[1].Value), file);
            }
        }

        foreach (TypeDefinitionHandle type in _types.TypeDefinitions)
        {
            TypeDefinition definition = _types.GetTypeDefinition(type);
            if (definition.GetDeclaringType().IsNil && !_homes.ContainsKey(type) && declared.TryGetValue(
                (_types.GetString(definition.Namespace), Simple(_types.GetString(definition.Name))), out string? file))
            {
                _homes.Add(type, file);
            }
        }
    }

    private void Read(TypeDefinitionHandle handle)
    {
        TypeDefinition type = _types.GetTypeDefinition(handle);
        if (!_homes.TryGetValue(Outermost(handle), out string? home))
        {
            return; // the compiler's own
        }

        Use(home, type.BaseType);
        foreach (InterfaceImplementationHandle implemented in type.GetInterfaceImplementations())
        {
            Use(home, _types.GetInterfaceImplementation(implemented).Interface);
        }

        foreach (FieldDefinitionHandle field in type.GetFields())
        {
            _types.GetFieldDefinition(field).DecodeSignature(new Named(t => Use(home, t)), null);
        }

        foreach (MethodDefinitionHandle method in type.GetMethods())
        {
            MethodDefinition definition = _types.GetMethodDefinition(method);
            string place = _places.GetValueOrDefault(method, home);
            definition.DecodeSignature(new Named(t => Use(place, t)), null);
            if (definition.RelativeVirtualAddress != 0)
            {
                ReadBody(place, _image.GetMethodBody(definition.RelativeVirtualAddress));
            }
        }
    }

    private void ReadBody(string place, MethodBodyBlock body)
    {
        if (!body.LocalSignature.IsNil)
        {
            _types.GetStandaloneSignature(body.LocalSignature)
                .DecodeLocalSignature(new Named(t => Use(place, t)), null);
        }

        BlobReader il = body.GetILReader();
        while (il.RemainingBytes > 0)
        {
            int code = il.ReadByte();
            OperandType operand = Operands.Of(code == 0xfe ? 0xfe00 | il.ReadByte() : code);
            switch (operand)
            {
                case OperandType.InlineMethod or OperandType.InlineField or OperandType.InlineType
                    or OperandType.InlineTok:
                    Use(place, MetadataTokens.EntityHandle(il.ReadInt32()));
                    break;
                case OperandType.InlineSwitch:
                    int cases = il.ReadInt32();
                    il.Offset += 4 * cases;
                    break;
                default:
                    il.Offset += Operands.Length(operand);
                    break;
            }
        }
    }

    private void Use(string from, EntityHandle what)
    {
        if (what.IsNil)
        {
            return;
        }

        var named = new Named(t => Use(from, t));
        switch (what.Kind)
        {
            case HandleKind.TypeDefinition:
                if (_homes.TryGetValue(Outermost((TypeDefinitionHandle)what), out string? home))
                {
                    Add(from, home);
                }

                break;
            case HandleKind.TypeSpecification:
                _types.GetTypeSpecification((TypeSpecificationHandle)what).DecodeSignature(named, null);
                break;
            case HandleKind.MethodDefinition:
                var method = (MethodDefinitionHandle)what;
                _called.Add(method);
                if (_places.TryGetValue(method, out string? place))
                {
                    Add(from, place);
                }
                else
                {
                    Use(from, _types.GetMethodDefinition(method).GetDeclaringType());
                }

                break;
            case HandleKind.FieldDefinition:
                Use(from, _types.GetFieldDefinition((FieldDefinitionHandle)what).GetDeclaringType());
                break;
            case HandleKind.MemberReference:
                _calledNames.Add(_types.GetString(_types.GetMemberReference((MemberReferenceHandle)what).Name));
                Use(from, _types.GetMemberReference((MemberReferenceHandle)what).Parent);
                break;
            case HandleKind.MethodSpecification:
                MethodSpecification specified = _types.GetMethodSpecification((MethodSpecificationHandle)what);
                Use(from, specified.Method);
                specified.DecodeSignature(named, null);
                break;
            default:
                break; // another assembly's
        }
    }

    private void Add(string from, string to)
    {
        if (!_uses.TryGetValue(from, out SortedSet<string>? used))
        {
            _uses.Add(from, used = new SortedSet<string>(StringComparer.Ordinal));
        }

        if (from != to)
        {
            used.Add(to);
        }
    }

    private TypeDefinitionHandle Outermost(TypeDefinitionHandle type)
    {
        while (_types.GetTypeDefinition(type).GetDeclaringType() is { IsNil: false } outer)
        {
            type = outer;
        }

        return type;
    }

    private string NameOf(MethodDefinition method)
    {
        TypeDefinition type = _types.GetTypeDefinition(method.GetDeclaringType());
        return _types.GetString(type.Name) + "." + _types.GetString(method.Name);
    }

    private string? FileOf(DocumentHandle document)
    {
        string path = _symbols.GetString(_symbols.GetDocument(document).Name).Replace('\\', '/');
        int at = path.LastIndexOf(Below, StringComparison.Ordinal);
        string file = at < 0 ? "" : path[(at + Below.Length)..];
        return file.Length == 0 || file.StartsWith("obj/", StringComparison.Ordinal) ? null : file;
    }

    private static string Simple(string name) => name.Split('`')[0];

    [GeneratedRegex(@"\w+")]
    private static partial Regex Word();

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Space();

    [GeneratedRegex(@"^(?:public|internal)[ \w]*? (?:class|struct|interface|enum|record struct|record"
        + @"|delegate [\w<>?.\[\]]+) (\w+)", RegexOptions.Multiline)]
    private static partial Regex Declaration();

    /// <summary>Tells of every type of ours that a signature names.</summary>
    private sealed class Named(Action<TypeDefinitionHandle> tell) : ISignatureTypeProvider<int, object?>
    {
        public int GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind)
        {
            tell(handle);
            return 0;
        }

        public int GetTypeFromSpecification(MetadataReader reader, object? genericContext,
            TypeSpecificationHandle handle, byte rawTypeKind)
            => reader.GetTypeSpecification(handle).DecodeSignature(this, genericContext);

        public int GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind) => 0;

        public int GetArrayType(int elementType, ArrayShape shape) => 0;

        public int GetByReferenceType(int elementType) => 0;

        public int GetFunctionPointerType(MethodSignature<int> signature) => 0;

        public int GetGenericInstantiation(int genericType, ImmutableArray<int> typeArguments) => 0;

        public int GetGenericMethodParameter(object? genericContext, int index) => 0;

        public int GetGenericTypeParameter(object? genericContext, int index) => 0;

        public int GetModifiedType(int modifier, int unmodifiedType, bool isRequired) => 0;

        public int GetPinnedType(int elementType) => 0;

        public int GetPointerType(int elementType) => 0;

        public int GetPrimitiveType(PrimitiveTypeCode typeCode) => 0;

        public int GetSZArrayType(int elementType) => 0;
    }

    /// <summary>What stands behind an instruction.</summary>
    private static class Operands
    {
        private static readonly Dictionary<int, OperandType> Known = typeof(OpCodes).GetFields()
            .Select(f => f.GetValue(null)).OfType<OpCode>().ToDictionary(c => (int)(ushort)c.Value, c => c.OperandType);

        public static OperandType Of(int code) => Known[code];

        public static int Length(OperandType operand) => operand switch
        {
            OperandType.InlineNone => 0,
            OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
            OperandType.InlineVar => 2,
            OperandType.InlineI8 or OperandType.InlineR => 8,
            _ => 4,
        };
    }
}
