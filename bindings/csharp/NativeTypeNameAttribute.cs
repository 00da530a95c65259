namespace Sessions.Bindings;

/// <summary>How the C header spells the type, or the whole macro, that a declaration stands for.
/// Written by hand; kept in release builds too, where the drift tests read it.</summary>
[AttributeUsage(AttributeTargets.All, AllowMultiple = false)]
public sealed class NativeTypeNameAttribute(string name) : Attribute
{
    /// <summary>The spelling.</summary>
    public string Name { get; } = name;
}
