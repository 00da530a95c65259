namespace Sessions.Events.Pages;

/// <summary>Which types a reader wants: "tool_call,custom:*"; null: all.</summary>
internal sealed class TypeFilter
{
    private readonly string[]? _types;

    public TypeFilter(string? types)
    {
        if (types is null)
        {
            return;
        }

        _types = Array.ConvertAll(types.Split(','), t => t.Trim(' '));
        foreach (string type in _types)
        {
            Checks.Name(type, "types");
        }

        if (_types.Any(t => t.Length == 0 || t.IndexOf('*') is >= 0 and int star && star < t.Length - 1))
        {
            throw Errors.Argument("types", "types must be a list such as \"tool_call,custom:*\".");
        }
    }

    public bool Takes(string type) => _types is null || Array.Exists(_types, t => t[^1] == '*'
        ? type.AsSpan().StartsWith(t.AsSpan(0, t.Length - 1), StringComparison.Ordinal) : t == type);
}
