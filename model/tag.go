package model

// Tag is a label on a resource. AWS writes its members with capital letters.
type Tag struct {
	Key   string `json:"Key" aws:"TagKey,required"`
	Value string `json:"Value" aws:"TagValue"`
}
